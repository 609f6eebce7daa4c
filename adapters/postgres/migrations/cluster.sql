-- The roles every database of a cluster shares. Run by an administrator, once and again: it is safe to repeat.
--
-- contactpoint_owner owns everything and cannot log in; contactpoint_migration may become it, and is nothing without
-- doing so. The others are what programs log in as. In production give each a password (or a certificate) of its own:
--     ALTER ROLE contactpoint_service PASSWORD '…';
-- and make each database with: CREATE DATABASE record OWNER contactpoint_owner;
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['contactpoint_owner', 'contactpoint_views'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    FOREACH wanted IN ARRAY ARRAY['contactpoint_migration', 'contactpoint_service', 'contactpoint_writer',
                                  'contactpoint_manager', 'contactpoint_override',
                                  'contactpoint_publisher', 'contactpoint_sealer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        END IF;
    END LOOP;
END
$$;
-- So that `contactpoint maintain` can cut off the write-ahead log of the views.
GRANT pg_checkpoint TO contactpoint_owner;
GRANT contactpoint_owner TO contactpoint_migration WITH INHERIT FALSE, SET TRUE;
-- Whoever fills views does so as one role, so that each may replace what the other made.
GRANT contactpoint_views TO contactpoint_service WITH INHERIT TRUE, SET TRUE;
GRANT contactpoint_views TO contactpoint_writer WITH INHERIT TRUE, SET TRUE;
GRANT contactpoint_views TO contactpoint_owner WITH INHERIT TRUE, SET TRUE;
