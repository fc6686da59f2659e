# SPDX-License-Identifier: MIT
# Beside strict.profile: no program is executed unless whoever holds this filter's descriptor says yes.
# Nobody does so any more once the box's own program has been. The language: filters/profile.h.

otherwise allow

notify execve execveat
