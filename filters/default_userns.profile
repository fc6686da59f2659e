# SPDX-License-Identifier: MIT
# default.profile under --allow-userns. The language: filters/profile.h.

include userns.rules
include default.profile
