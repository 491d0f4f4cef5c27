"""What Alembic runs to migrate the reporter's store."""

from exchange.infra.store_migrations import run_from_alembic

run_from_alembic()
