-- Who may do what in this database. Applied on every run, because a database copied or restored comes without them.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contactpoint_migration, contactpoint_service, '
                   'contactpoint_writer, contactpoint_manager, contactpoint_override', current_database());
END
$$;
GRANT USAGE ON SCHEMA home, keys
    TO contactpoint_service, contactpoint_writer, contactpoint_manager, contactpoint_override;
GRANT SELECT ON home.home, keys.key
    TO contactpoint_service, contactpoint_writer, contactpoint_manager, contactpoint_override;
GRANT SELECT ON keys.orphan TO contactpoint_service, contactpoint_writer;
-- A certificate is written by destroying, never by inserting.
GRANT INSERT (subject, kind, number, generation, wrapped) ON keys.key TO contactpoint_service, contactpoint_writer;
-- A rebuild copies partitions out one by one.
DO $$
BEGIN
    FOR remainder IN 0 .. 31 LOOP
        EXECUTE format('GRANT SELECT ON keys.key_%s TO contactpoint_service, contactpoint_writer',
                       lpad(remainder::text, 2, '0'));
    END LOOP;
END
$$;
-- Moving and destroying keys is the writer's, which carries out commands; a web server never destroys.
GRANT EXECUTE ON FUNCTION keys.mark_elsewhere, keys.restore_wrapped, keys.forget, keys.rewrap, keys.sweep,
    keys.empty_orphans TO contactpoint_writer;
-- The publisher opens what is not shielded, and makes no keys.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contactpoint_publisher', current_database());
END
$$;
GRANT USAGE ON SCHEMA home, keys TO contactpoint_publisher;
GRANT SELECT ON home.home, keys.key TO contactpoint_publisher;
