package mcp.region_test

import data.mcp.region

_arguments := {
	"amount": 500,
	"to": {"iban": "DE1", "name/first": "A", "tilde~": 1},
	"path": "/srv/data/a",
	"paths": ["/srv/a", "/srv/b"],
	"items": [{"price": 1}, {"price": 2}],
	"flag": false,
	"nothing": null,
	"none": [],
}

_inside(r) if region.inside(r, _arguments)

test_at_most if {
	_inside({"/amount": {"at_most": 500}})
	not _inside({"/amount": {"at_most": 499}})
}

test_at_least if {
	_inside({"/amount": {"at_least": 500}})
	not _inside({"/amount": {"at_least": 501}})
}

test_equals if {
	_inside({"/to/iban": {"equals": "DE1"}})
	_inside({"/flag": {"equals": false}})
	not _inside({"/to/iban": {"equals": "DE2"}})
}

test_one_of if {
	_inside({"/to/iban": {"one_of": ["DE1", "DE2"]}})
	not _inside({"/to/iban": {"one_of": ["DE2"]}})
	not _inside({"/to/iban": {"one_of": "DE1"}})
}

test_prefix if {
	_inside({"/to/iban": {"prefix": "DE"}})
	not _inside({"/to/iban": {"prefix": "FR"}})
	not _inside({"/amount": {"prefix": ""}})
	not _inside({"/to/iban": {"prefix": 1}})
}

test_path_under if {
	_inside({"/path": {"path_under": "/srv/data"}})
	not _inside({"/path": {"path_under": "/srv/other"}})
}

test_length_at_most if {
	_inside({"/path": {"length_at_most": 11}})
	not _inside({"/path": {"length_at_most": 10}})
}

test_every_test_of_a_pointer_must_pass if {
	_inside({"/amount": {"at_least": 1, "at_most": 500}})
	not _inside({"/amount": {"at_least": 501, "at_most": 500}})
}

test_every_pointer_must_pass if {
	not _inside({"/amount": {"at_most": 500}, "/to/iban": {"equals": "DE2"}})
}

test_a_missing_argument_is_outside if {
	not _inside({"/absent": {"at_most": 500}})
	not _inside({"/absent/deeper": {"equals": 1}})
	not _inside({"/amount/deeper": {"equals": 1}})
}

test_null_is_outside if {
	not _inside({"/nothing": {"equals": null}})
	not _inside({"/nothing": {"one_of": [null]}})
	not _inside({"/nothing": {"at_most": 3}})
}

test_an_unknown_test_is_outside if {
	not _inside({"/amount": {"at_mots": 500}})
}

test_an_empty_region_is_outside if {
	not _inside({})
	not _inside({"/amount": {}})
}

test_what_is_no_object_has_no_arguments if {
	not region.inside({"/amount": {"at_most": 500}}, null)
	not region.inside({"/amount": {"at_most": 500}}, [500])
	not region.inside({"": {"equals": 1}}, 2)
}

test_escaped_pointers if {
	_inside({"/to/name~1first": {"equals": "A"}})
	_inside({"/to/tilde~0": {"equals": 1}})
}

test_every_member if {
	_inside({"/paths/*": {"path_under": "/srv"}})
	not _inside({"/paths/*": {"equals": "/srv/a"}})
	_inside({"/items/*/price": {"at_most": 2}})
	not _inside({"/items/*/price": {"at_most": 1}})
	not _inside({"/items/*/absent": {"at_most": 1}})
}

test_no_member_is_outside if {
	not _inside({"/none/*": {"equals": 1}})
	not _inside({"/absent/*": {"equals": 1}})
	not _inside({"/amount/*": {"equals": 1}})
}

test_a_table_is_read_at_the_caller if {
	limits := {"user:a": 500, "user:b": 499}
	_with_table(limits, "user:a")
	not _with_table(limits, "user:b")
	not _with_table(limits, "user:c")
}

_with_table(limits, user) if {
	region.inside({"/amount": {"at_most": {"data": "limits"}}}, _arguments) with input as {"subject": {"id": user}}
		with data.portcullis.index as {"tables": {"limits": limits}}
}

test_a_table_that_is_not_there_is_outside if {
	not region.inside({"/amount": {"at_most": {"data": "absent"}}}, _arguments) with input as {"subject": {"id": "user:a"}}
}
