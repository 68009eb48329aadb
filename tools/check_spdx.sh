#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Lists the source files and pages without an SPDX line among their first three lines, and the JSON files that
# name the licence neither under "license" nor under "$comment"; exit code 1 if there are any.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sources() {
    git ls-files -co --exclude-standard -- '*.rs' '*.v' '*.vh' '*.h' '*.cpp' '*.sh' '*.py' '*.toml' '*.svg' '*.f' '*.md' '.ci/*' 'tools/*'
}

missing=0
while IFS= read -r file; do
    if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT OR Apache-2.0'; then
        echo "$file: no SPDX line"
        missing=1
    fi
done < <(sources)
while IFS= read -r file; do
    if ! grep -Eq '"(license|\$comment)": "(SPDX-License-Identifier: )?MIT OR Apache-2.0"' "$file"; then
        echo "$file: no licence"
        missing=1
    fi
done < <(git ls-files -co --exclude-standard -- '*.json')
exit $missing
