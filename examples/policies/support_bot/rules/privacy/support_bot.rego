# METADATA
# title: Support bots see only the public fields of results with personal data
# custom: {reason_code: NO_PUBLIC_FIELDS}
package mcp.rules.privacy.support_bot

import data.mcp.request

effect := "oblige"

applies if {
	request.surface == "support_bot"
	not _no_personal_data
}

# A tool that nobody has classified counts as one with personal data.
_no_personal_data if {
	request.capability.data_classes
	not _personal_data
}

_personal_data if "personal" in request.capability.data_classes

obligations contains {
	"type": "keep_fields",
	"paths": request.capability.fields_by_class.public,
	"unstructured": "drop",
}
