"""F4: the front door. The only place that knows every part and plugs them together."""
