# METADATA
# title: Who calls, through whom, and from where
# description: Resolves the verified ids of a request against the agents and surfaces of the data.
package mcp.directory

import data.mcp.index

agent := index.agent(_client)

# A client that belongs to a surface proves it; else the server states its own.
surface := proved if proved := index.surface(_client)

else := input.context.surface

# METADATA
# description: |
#   The agents through whom the user acts, the one that calls first (RFC 8693 `act`, outermost
#   first). An id that the data does not know stands as null, which no rule accepts.
chain := _delegation if not _caller_is_added

chain := array.concat([_caller], _delegation) if _caller_is_added

_caller_is_added if {
	input.context.agent.id
	not _caller_leads
	not _caller_is_surface
}

# An application that people work in is no agent that acts for them.
_caller_is_surface if {
	index.surface(_client)
	not agent
}

default _caller := null

_caller := agent

_caller_leads if _delegation[0] == agent

_delegation := [name |
	some link in input.subject.properties.delegation
	name := _name(link.id)
]

_name(id) := name if name := index.agent(id)

else := null

_client := input.context.agent.id if input.context.agent.verified == true
