"""What every store promises, subject by subject; `tests.events.store_contract` puts it together."""
