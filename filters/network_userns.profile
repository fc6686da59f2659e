# SPDX-License-Identifier: MIT
# network.profile under --allow-userns. The language: filters/profile.h.

include userns.rules
include network.profile
