# METADATA
# title: A changed definition is hidden until it is approved again
# description: Where the registry pins a digest, the server must present that very definition.
# custom:
#   reason_code: DEFINITION_CHANGED
package mcp.rules.registry.definition

import data.mcp.request

effect := "deny"

applies if {
	request.capability.digest
	not _unchanged
}

_unchanged if request.capability.digest == input.resource.properties.definition_digest
