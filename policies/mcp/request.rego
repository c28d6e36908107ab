# METADATA
# title: The request as a rule reads it
# description: |
#   One name for each fact of the evaluation request. A member that the request does not carry
#   is undefined, so a rule that needs it does not apply; collections are always defined.
package mcp.request

import data.mcp.directory

# `tool:payments/transfer`. A server name holds no slash, so the name has one reading.
name := concat("", [input.resource.type, ":", input.resource.properties.server, "/", input.resource.id])

# `tool:payments/*`
family := concat("", [input.resource.type, ":", input.resource.properties.server, "/*"])

# The keys under which a rule or a grant may speak of this capability.
patterns := [name, family, "*"]

server := input.resource.properties.server

# tool, resource, prompt …
type := input.resource.type

method := input.action.name

phase := input.context.phase

user["id"] := input.subject.id

groups := {group | some group in input.subject.properties.groups}

actor_type := input.subject.properties.actor_type

tenant := input.subject.properties.tenant

assurance := input.subject.properties.assurance

# The verified client as the policy data knows it. An unknown one is undefined here, and refused
# by the rule delegation/chain.
agent := directory.agent

surface := directory.surface

environment := input.context.environment.deployment

session := input.context.session

purpose := input.context.purpose

# Who asks the decision point: `id`, and the `channel` that proves it (embedded, socket, tcp, mtls).
caller := input.context.caller

# The registry entry of the capability. Addresses, and what a server asks of its client, cannot be
# listed one by one: there the entry `resource:SERVER/*` stands for those without one of their own.
capability := data.registry[name] if {
	data.registry[name]
} else := data.registry[family] if type in {"mcp_server", "resource"}

arguments := input.context.arguments

# The agents through whom the user acts, the one that calls first; null where the data knows none.
chain := directory.chain

on_behalf_of := input.subject.id if count(chain) > 0

# Filled by the decision point alone, from its own store.
approval := input.context.approval
