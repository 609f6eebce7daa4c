"""SQL, migrations, privileges, files of settings: one technology at a time."""
