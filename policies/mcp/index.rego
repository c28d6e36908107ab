# METADATA
# title: Finding a grant, an agent or a surface in the policy data
# description: |
#   The decision point lays an index beside the data when it loads it (`data.portcullis.index`), so
#   that ten thousand grants cost as little as ten. Where there is none, as under plain `opa test`,
#   the data is scanned; both ways give the same answer.
package mcp.index

import data.mcp.request

# METADATA
# description: The grants that speak of this capability and may concern this caller.
grants := [grant |
	some pattern in request.patterns
	some key in _keys
	some grant in data.portcullis.index.grants[pattern][key]
] if {
	data.portcullis.index
}

grants := [grant |
	some grant in data.grants
	grant.on in request.patterns
] if {
	not data.portcullis.index
}

# METADATA
# description: |
#   The grants that speak of this capability, whomever they address: an approver is seldom one of
#   those whose calls he approves.
grants_for_anyone := [grant |
	some pattern in request.patterns
	some list in data.portcullis.index.grants[pattern]
	some grant in list
] if {
	data.portcullis.index
}

grants_for_anyone := grants if not data.portcullis.index

_keys contains "anyone"

_keys contains concat(":", ["user", request.user.id])

_keys contains concat(":", ["actor_type", request.actor_type])

_keys contains concat(":", ["agent", request.agent])

_keys contains concat(":", ["surface", request.surface])

_keys contains concat(":", ["group", group]) if some group in request.groups

# METADATA
# description: |
#   The name of the agent that a verified id stands for: the agent that lists it among its clients,
#   or the agent of that very name if it lists none. Undefined for an unknown or ambiguous id.
agent(id) := data.portcullis.index.agents[id]

agent(id) := name if {
	not data.portcullis.index
	names := {name | some name, entry in data.agents; _known_as(name, entry, id)}
	count(names) == 1
	some name in names
}

_known_as(_, entry, id) if id in entry.clients

_known_as(name, entry, id) if {
	name == id
	not entry.clients
}

# METADATA
# description: The surface that a verified client belongs to.
surface(client) := data.portcullis.index.surfaces[client]

surface(client) := name if {
	not data.portcullis.index
	names := {name | some name, entry in data.surfaces; client in entry.clients}
	count(names) == 1
	some name in names
}
