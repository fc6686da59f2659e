# SPDX-License-Identifier: MIT
# Without a box, and without a listener that could tell files apart: modes, owners and attributes of any file that the
# user owns, wherever it is, and of what is granted to be read alone. The language: filters/profile.h.

otherwise allow

include calls.rules

deny chmod fchmod fchmodat fchmodat2
deny chown lchown fchown fchownat chown32 lchown32 fchown32
deny setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
