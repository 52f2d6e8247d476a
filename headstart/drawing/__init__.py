"""Pictures that several rooms draw."""
