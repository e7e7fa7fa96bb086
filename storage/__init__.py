"""The only SQL: tables, migrations, COPY, partitions, views; PostgreSQL, with TimescaleDB where present."""
