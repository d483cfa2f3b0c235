"""Areas watched over many periods: what each would have come to without the change."""
