# METADATA
# title: A surface is known, and has one name
# description: |
#   Refuses a surface that the data does not hold, and a server's statement that differs from what
#   the verified client proves.
# custom:
#   reason_code: SURFACE_UNKNOWN
package mcp.rules.boundary.surface

import data.mcp.request

effect := "deny"

applies if {
	surface := request.surface
	not data.surfaces[surface]
}

applies if input.context.surface != request.surface
