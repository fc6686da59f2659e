# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # variables of run
#
# What was found against what is expected, and against what may never be.

judge() {
    local status=0

    show
    grep -P '\tskipped: ' "$found" | sed 's/\t-\t-\t/: /; s/\t/ /g; s/ - skipped/: skipped/; s/^/nest: /'
    promises || status=1
    case $how in
    write) write_table ;;
    compare) compare || status=1 ;;
    esac
    return "$status"
}

# A table for people, a row for a bed and a user.
show() {
    awk -F '\t' '
        $4 ~ /^skipped/ || $3 == "start" { next }
        { row = $1 "\t" $2; if (!(row in seen)) { seen[row] = 1; rows[++n] = row }
          if (!($3 in known)) { known[$3] = 1; columns[++m] = $3 }
          cell[row, $3] = $4 ~ /^stands/ ? "stands" : ($4 ~ /^(OPEN|partly)/ ? $4 : "-")
          sub(/ .*/, "", cell[row, $3])
          if ($3 == "check") cell[row, $3] = substr($4, 6, 1) }
        END {
            if (!n) exit
            printf "%-26s %-6s", "bed", "user"
            for (j = 1; j <= m; j++) printf " %-13s", columns[j]
            print ""
            for (i = 1; i <= n; i++) {
                split(rows[i], part, "\t")
                printf "%-26s %-6s", part[1], part[2]
                for (j = 1; j <= m; j++) printf " %-13s", cell[rows[i], columns[j]]
                print ""
            }
        }' "$found"
}

# promises: a box has all its walls or is none; nestbox says in one line why it cannot be; where bubblewrap's
# words make a box with bubblewrap, they make one with nestbox; --check knows whether the default box stands, and the
# fallback.
promises() {
    awk -F '\t' '
        function bad(text) { print "nest: " $1 " " $2 " " $3 ": " text ": " $4; failed = 1 }
        $4 ~ /^skipped/ || $3 == "start" { next }
        $4 ~ /^OPEN/ { bad("a wall is open") }
        $3 !~ /^(as-)?bwrap|^(check|fallback)$/ && $4 !~ /^(stands|OPEN|partly)/ && $4 !~ /^125 nestbox: [^⏎]*$/ { bad("not one line with status 125") }
        $3 ~ /^as-bwrap/ && $4 !~ /^(stands|OPEN)/ && $4 !~ /^1 bwrap: [^⏎]*$/ { bad("not one line with status 1") }
        $3 == "check" && ($4 == "says 0") != (outcome[$1, $2, "box"] ~ /^stands/) { bad("--check is wrong about the box") }
        $3 == "fallback" && $4 !~ /^stands/ && (outcome[$1, $2, "box"] ~ /^stands/ ||
            outcome[$1, $2, "check"] == "says 1" && outcome[$1, $2, "no-proc"] !~ /^stands/) { bad("--check says that it would do") }
        $3 == "fallback" && $4 ~ /^stands/ && outcome[$1, $2, "check"] == "says 2" { bad("--check says that nothing would do") }
        { outcome[$1, $2, $3] = $4 }
        $3 ~ /^as-bwrap/ && $4 !~ /^stands/ && outcome[$1, $2, substr($3, 4)] ~ /^stands/ { bad("bubblewrap can do that") }
        END { exit failed }' "$found"
}

# Lines of the table about what was run now.
ours() {
    awk -F '\t' 'NR == FNR { if ($4 !~ /^skipped/) ran[$1, $2] = 1; next } ($1, $2) in ran' "$found" "$here/expected"
}

compare() {
    local difference

    difference=$(diff <(ours | sort) <(grep -vP '\tskipped: ' "$found" | sort) | sed -n 's/^</nest: expected:/p; s/^>/nest: found:   /p')
    [ -z "$difference" ] || { echo "$difference"; return 1; }
}

# A bed that was not run keeps its lines.
write_table() {
    local table

    table=$({
        grep '^#' "$here/expected"
        {
            grep -vP '\tskipped: ' "$found"
            awk -F '\t' 'NR == FNR { if ($4 !~ /^skipped/) ran[$1, $2] = 1; next } !/^#/ && !(($1, $2) in ran)' \
                "$found" "$here/expected"
        } | LC_ALL=C sort -s -t $'\t' -k1,1
    })
    echo "$table" >"$here/expected"
}
