"""The update of a year (年度更新): last year's filed state against the new deliveries."""
