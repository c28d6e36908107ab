# METADATA
# title: Safe regions of data-first grants
# description: |
#   A region names arguments by JSON Pointer and gives each one or more tests. It holds when every
#   pointer points at something and every test of it passes; a missing argument, a wrong type, an
#   unknown test or an empty region is outside.
package mcp.region

import data.mcp.compare
import data.mcp.request
import data.mcp.tables

# METADATA
# description: True when `arguments` lie inside `region`.
inside(region, arguments) if {
	count(region) > 0
	every pointer, tests in region {
		_point_inside(pointer, tests, arguments)
	}
}

# `/paths/*` speaks of every member of an array or object; there must be one to speak of.
_point_inside(pointer, tests, arguments) if {
	[before, after] := split(pointer, "/*")
	members := _at(before, arguments)
	some _ in members
	every member in members {
		_passes(tests, _at(after, member))
	}
}

_point_inside(pointer, tests, arguments) if {
	not _speaks_of_members(pointer)
	_passes(tests, _at(pointer, arguments))
}

_speaks_of_members(pointer) if contains(pointer, "/*")

# Laid under an empty name, the value may be of any type without an error: a pointer begins with one.
_at(pointer, value) := object.get({"": value}, _steps(pointer), null)

# RFC 6901: `~1` is a slash, `~0` a tilde, in this order.
_steps(pointer) := [step |
	some raw in split(pointer, "/")
	step := replace(replace(raw, "~1", "/"), "~0", "~")
]

_passes(tests, value) if {
	count(tests) > 0
	every name, raw in tests {
		_passes_test(name, value, raw)
	}
}

_passes_test("at_most", value, raw) if compare.at_most(value, _operand(raw))

_passes_test("at_least", value, raw) if compare.at_least(value, _operand(raw))

_passes_test("equals", value, raw) if {
	operand := _operand(raw)
	operand != null
	value == operand
}

_passes_test("one_of", value, raw) if {
	value != null
	value in _operand(raw)
}

_passes_test("prefix", value, raw) if {
	is_string(value)
	operand := _operand(raw)
	is_string(operand)
	startswith(value, operand)
}

_passes_test("path_under", value, raw) if compare.path_under(value, _operand(raw))

_passes_test("length_at_most", value, raw) if compare.length_at_most(value, _operand(raw))

# `{data: transfer_limits}` is the caller's own entry of that table.
_operand(raw) := tables.entry(raw.data, request.user.id)

_operand(raw) := raw if not _is_table(raw)

_is_table(raw) if is_object(raw)
