# METADATA
# title: Which rules speak, found by scanning
# description: |
#   This provider looks through every rule package, so that plain `opa test` needs no generation.
#   `portcullis build` leaves it out and writes a static provider with the same names, keyed by
#   capability, with one block for each rule; the combiner cannot tell them apart.
package mcp.router

# METADATA
# description: Rules of effect `deny` that apply.
denied["*"] contains id if {
	some area, title
	_applying[area][title] == "deny"
	id := concat("/", [area, title])
}

# METADATA
# description: Rules of effect `allow` that apply, with some arguments.
listed["*"] contains id if {
	some area, title
	_applying[area][title] == "allow"
	id := concat("/", [area, title])
}

# METADATA
# description: Rules of effect `allow` that apply to this call.
allowed["*"] contains id if {
	some area, title
	_applying[area][title] == "allow"
	not _outside[area][title]
	id := concat("/", [area, title])
}

# METADATA
# description: Rules of effect `limit` that this call is outside of.
limited["*"] contains id if {
	some area, title
	_applying[area][title] == "limit"
	not _inside[area][title]
	id := concat("/", [area, title])
}

# METADATA
# description: Rules of effect `require_approval` that apply, whatever the arguments.
askable["*"] contains id if {
	some area, title
	_applying[area][title] == "require_approval"
	id := concat("/", [area, title])
}

# METADATA
# description: Rules of effect `require_approval` that this call is outside of.
asked["*"] contains id if {
	some area, title
	_applying[area][title] == "require_approval"
	not _inside[area][title]
	id := concat("/", [area, title])
}

# METADATA
# description: Rules of effect `require_approval` that accept the caller as an approver.
eligible["*"] contains id if {
	some area, title
	data.mcp.rules[area][title].effect == "require_approval"
	data.mcp.rules[area][title].eligible == true
	id := concat("/", [area, title])
}

# METADATA
# description: The obligations of the rules of effect `oblige` that apply.
obliged["*"] contains obligation if {
	some area, title
	_applying[area][title] == "oblige"
	some obligation in data.mcp.rules[area][title].obligations
}

# METADATA
# description: Rules of effect `oblige` that apply and that state no obligation.
unobliged["*"] contains id if {
	some area, title
	_applying[area][title] == "oblige"
	not _stated[area][title]
	id := concat("/", [area, title])
}

_applying[area][title] := data.mcp.rules[area][title].effect if {
	some area, title
	data.mcp.rules[area][title].applies == true
}

_inside[area][title] if {
	some area, title
	data.mcp.rules[area][title].within == true
}

# `portcullis check` demands `default within := false`, so an undefined one was not declared.
_outside[area][title] if {
	some area, title
	data.mcp.rules[area][title].within != true
}

_stated[area][title] if {
	some area, title
	obligations := data.mcp.rules[area][title].obligations
	is_set(obligations)
	count(obligations) > 0
}
