# METADATA
# title: Comparisons that a wrong type cannot pass
# description: |
#   Rego orders null < boolean < number < string, so a bare `x <= 10000` holds for null and for
#   false. These hold for two numbers only; a missing operand makes them undefined.
package mcp.compare

at_most(x, limit) if {
	is_number(x)
	is_number(limit)
	x <= limit
}

at_least(x, limit) if {
	is_number(x)
	is_number(limit)
	x >= limit
}

less_than(x, limit) if {
	is_number(x)
	is_number(limit)
	x < limit
}

more_than(x, limit) if {
	is_number(x)
	is_number(limit)
	x > limit
}

between(x, low, high) if {
	at_least(x, low)
	at_most(x, high)
}

# METADATA
# description: True when `x` is a string or a number and one of `values`.
one_of(x, values) if {
	_is_plain(x)
	x in values
}

# METADATA
# description: |
#   True when `x` is a string or a number and none of `values`, an array or a set. What is missing,
#   or of another type, is not known to be none of them.
none_of(x, values) if {
	_is_plain(x)
	_is_list(values)
	every value in values {
		x != value
	}
}

_is_plain(x) if is_string(x)

_is_plain(x) if is_number(x)

_is_list(values) if is_array(values)

_is_list(values) if is_set(values)

# METADATA
# description: |
#   True when `path` is the folder `base` or lies in it. A path with an empty, `.` or `..` segment,
#   a backslash or a NUL lies in nothing, because its reader may resolve it elsewhere.
path_under(path, base) if {
	is_string(path)
	is_string(base)
	folder := trim_suffix(base, "/")
	plain := trim_suffix(path, "/")
	not _evasive(plain)
	_in_folder(plain, folder)
}

_in_folder(path, folder) if {
	path == folder
	path != ""
}

_in_folder(path, folder) if startswith(path, concat("", [folder, "/"]))

_evasive(path) if {
	some i, segment in split(path, "/")
	_evasive_segment(i, segment)
}

_evasive(path) if contains(path, "\\")

_evasive(path) if contains(path, "\u0000")

_evasive_segment(_, segment) if segment in {".", ".."}

_evasive_segment(i, "") if i > 0

# METADATA
# description: True when `x` is a string of at most `length` characters.
length_at_most(x, length) if {
	is_string(x)
	is_number(length)
	count(x) <= length
}
