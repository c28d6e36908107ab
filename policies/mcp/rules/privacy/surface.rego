# METADATA
# title: A surface keeps only the fields of its class
# description: |
#   `surfaces.support_bot.keep: public` lets only the fields through that the registry lists under
#   `fields_by_class.public`. A capability whose data classes are unknown counts as mixed.
# custom:
#   reason_code: FIELDS_NOT_CLASSIFIED
package mcp.rules.privacy.surface

import data.mcp.request

effect := "oblige"

applies if not _only_kept

obligations contains {
	"type": "keep_fields",
	"paths": request.capability.fields_by_class[_kept],
	"unstructured": "drop",
}

_kept := data.surfaces[request.surface].keep

_only_kept if not _kept

_only_kept if {
	every class in request.capability.data_classes {
		class == _kept
	}
}
