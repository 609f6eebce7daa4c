-- The place of every view. Their tables are made and dropped by the projections themselves, as one role.
CREATE SCHEMA views AUTHORIZATION contactpoint_views;
