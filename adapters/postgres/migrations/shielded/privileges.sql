-- Who may do what in this database. Applied on every run, because a database copied or restored comes without them.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contactpoint_migration, contactpoint_writer, '
                   'contactpoint_manager, contactpoint_override', current_database());
END
$$;
GRANT USAGE ON SCHEMA home, keys, whereabouts, brokering TO contactpoint_writer;
GRANT SELECT ON home.home, keys.key, keys.orphan TO contactpoint_writer;
GRANT INSERT (subject, kind, number, generation, wrapped) ON keys.key TO contactpoint_writer;
GRANT EXECUTE ON FUNCTION keys.move_in, keys.move_out, keys.forget, keys.rewrap, keys.sweep, keys.empty_orphans
    TO contactpoint_writer;
GRANT SELECT, INSERT, DELETE ON whereabouts.token, brokering.asked TO contactpoint_writer;
-- These two read one record for one access, which is noted: they have no other way in. A manager may know as well in
-- which records somebody asked for contact.
GRANT USAGE ON SCHEMA brokering TO contactpoint_manager;
GRANT SELECT ON brokering.asked TO contactpoint_manager;
GRANT USAGE ON SCHEMA keys TO contactpoint_manager, contactpoint_override;
GRANT EXECUTE ON FUNCTION keys.open_for_access TO contactpoint_manager, contactpoint_override;
