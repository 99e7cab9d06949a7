"""Official files in, checked tables out: one module per publisher."""
