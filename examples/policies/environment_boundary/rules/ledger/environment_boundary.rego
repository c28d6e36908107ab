# METADATA
# title: Nothing crosses the environment boundary of the ledger
# custom: {reason_code: ENVIRONMENT_BOUNDARY}
package mcp.rules.ledger.environment_boundary

import data.mcp.request

effect := "deny"

applies if {
	endswith(request.family, ":ledger/*")
	not _same_environment
}

# Undefined where either is missing, so that nobody without an environment gets in.
_same_environment if request.environment == request.capability.environment
