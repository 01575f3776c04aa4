#pragma once

/* The failures that a writer may give for itself, or for a component. */

#include "common/util.h"
#include <vss/vss.h>

/* One of the five VSS_E_WRITERERROR_ codes; PARTIAL_FAILURE is none of them. */
bool writer_failure_is(HRESULT hr);
