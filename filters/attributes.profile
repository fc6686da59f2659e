# SPDX-License-Identifier: MIT
# Without a box: modes, owners, times and attributes of what is granted for writing are for the listener to change
# (filters/attributes.h). The language: filters/profile.h.

otherwise allow

include calls.rules
include attributes.rules
