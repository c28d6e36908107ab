# METADATA
# title: Only capabilities that the registry approves
# custom:
#   reason_code: CAPABILITY_NOT_APPROVED
package mcp.rules.registry.approved

import data.mcp.request

effect := "deny"

applies if not request.capability.approved == true
