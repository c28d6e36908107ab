# METADATA
# title: What the data demands of the context is known before anything is looked at
# description: |
#   `require_context: [agent, surface]` refuses, and leaves every list empty, while the caller's
#   agent or surface is not resolved. A word that this rule does not know is never resolved.
# custom:
#   reason_code: CONTEXT_MISSING
package mcp.rules.boundary.context

import data.mcp.request

effect := "deny"

applies if {
	some what in data.require_context
	not _resolved(what)
}

_resolved("user") if request.user.id != ""

_resolved("agent") if request.agent != ""

_resolved("surface") if data.surfaces[request.surface]

_resolved("environment") if request.environment != ""
