"""Where images come from: folders, archives and the catalog; checking them and drawing the split."""
