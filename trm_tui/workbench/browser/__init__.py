"""The models of the sessions screen: catalogue, filter, columns, details, export."""
