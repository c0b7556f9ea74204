"""What the columns of a source hold: types and time formats, recognised from all rows and reported."""
