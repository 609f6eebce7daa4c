-- Who may do what in this database. Applied on every run, because a database copied or restored comes without them.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contactpoint_migration, contactpoint_service, contactpoint_writer',
                   current_database());
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO contactpoint_views', current_database());
END
$$;
