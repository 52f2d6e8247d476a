"""What people are shown: tables, pictures, the page."""
