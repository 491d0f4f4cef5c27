"""Where Alembic begins."""

from exchange.infra.store_migrations import run_from_alembic

run_from_alembic()
