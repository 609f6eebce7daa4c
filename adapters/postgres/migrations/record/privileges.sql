-- Who may do what in this database. Applied on every run, because a database copied or restored comes without them.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contactpoint_migration, contactpoint_service, contactpoint_writer, '
                   'contactpoint_manager, contactpoint_override', current_database());
END
$$;
GRANT USAGE ON SCHEMA home, record_log, access_log
    TO contactpoint_service, contactpoint_writer, contactpoint_manager, contactpoint_override;
GRANT SELECT ON home.home, record_log.event, record_log.head, access_log.event, access_log.head
    TO contactpoint_service, contactpoint_writer, contactpoint_manager, contactpoint_override;
-- A rebuild copies partitions out one by one.
DO $$
BEGIN
    FOR remainder IN 0 .. 31 LOOP
        EXECUTE format('GRANT SELECT ON record_log.event_%s, access_log.event_%1$s TO contactpoint_service, '
                       'contactpoint_writer', lpad(remainder::text, 2, '0'));
    END LOOP;
END
$$;
GRANT SELECT ON record_log.idempotency, access_log.idempotency, record_log.reservation
    TO contactpoint_service, contactpoint_writer;
GRANT EXECUTE ON FUNCTION record_log.append, access_log.append, record_log.append_one, access_log.append_one
    TO contactpoint_service, contactpoint_writer;
GRANT EXECUTE ON FUNCTION record_log.forget_batch, record_log.release TO contactpoint_writer;
-- Effects are the writer's.
GRANT SELECT ON record_log.follower TO contactpoint_service;
GRANT SELECT, INSERT, UPDATE ON record_log.follower TO contactpoint_writer;
-- The publisher reads the record log, never the access log; what it remembers is its own. The service says how far it is.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contactpoint_publisher', current_database());
END
$$;
GRANT USAGE ON SCHEMA home, record_log TO contactpoint_publisher;
GRANT SELECT ON home.home, record_log.event, record_log.head TO contactpoint_publisher;
GRANT USAGE ON SCHEMA publication TO contactpoint_publisher, contactpoint_service;
GRANT SELECT ON publication.state, publication.partition, publication.parked TO contactpoint_service;
GRANT SELECT, UPDATE ON publication.state TO contactpoint_publisher;
GRANT SELECT, INSERT, UPDATE ON publication.partition TO contactpoint_publisher;
GRANT SELECT, INSERT, DELETE ON publication.pending, publication.parked, publication.sent TO contactpoint_publisher;
-- The sealer reads both logs as they are stored, opens nothing, and keeps its own state. Everybody may see how far it is.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contactpoint_sealer', current_database());
END
$$;
GRANT USAGE ON SCHEMA home, record_log, access_log, seal TO contactpoint_sealer;
GRANT SELECT ON home.home, record_log.event, record_log.head, access_log.event, access_log.head TO contactpoint_sealer;
GRANT SELECT, UPDATE ON seal.state TO contactpoint_sealer;
GRANT USAGE ON SCHEMA seal TO contactpoint_service;
GRANT SELECT ON seal.state TO contactpoint_service;
-- Signing in is the service's alone.
GRANT USAGE ON SCHEMA sign_in TO contactpoint_service;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON sign_in.session, sign_in.authenticator, sign_in.enrolment, sign_in.attempt, sign_in.device TO contactpoint_service;
GRANT SELECT, INSERT, DELETE ON sign_in.used_assertion TO contactpoint_service;
-- Rules are adopted, and read, by the service; once kept they are changed by nobody.
GRANT USAGE ON SCHEMA rules TO contactpoint_service;
GRANT SELECT, INSERT ON rules.text TO contactpoint_service;
