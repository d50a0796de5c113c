#!/bin/sh
# An object that is compiled with the flags of an instruction set exports data alone, and has no code that runs at load:
# so nothing in it can run before the instruction set was chosen (src/kernels/table.c), and nothing in it can be linked
# into the place of another object's function.
# Usage: isa_objects.sh OBJECT...; objects without an instruction set in their name are passed over.
set -eu

# What is wrong with one object, in a sentence; nothing if all is well.
breach() {
    code=$(nm --defined-only --extern-only "$1" | awk '$2 !~ /^[DR]$/ { print $3 }')
    if [ -n "$code" ]; then
        echo "$1 exports $code, which is not constant data"
    elif readelf -SW "$1" | grep -qE ' \.(preinit_array|init_array|ctors)'; then
        echo "$1 has code that runs at load"
    fi
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# the check finds what it is for
echo 'void prepare(void) {} ' >"$folder/function.c"
echo '__attribute__((constructor)) static void prepare(void) {}' >"$folder/constructor.c"
echo 'static int one(void) { return 1; } int (*const table)(void) = one;' >"$folder/data.c"
for name in function constructor data; do
    ${CC:-cc} -c -o "$folder/$name.o" "$folder/$name.c"
done
[ -n "$(breach "$folder/function.o")" ] && [ -n "$(breach "$folder/constructor.o")" ]
[ -z "$(breach "$folder/data.o")" ]

seen=0
for object in "$@"; do
    case $(basename "$object") in
    *_avx2.* | *_avx512*.* | *_amx.*) ;;
    *) continue ;;
    esac
    if nm --undefined-only "$object" | grep -qE '__(asan|tsan|msan)_init'; then
        echo "skipped: sanitizers put constructors into every object"
        exit 77
    fi
    fault=$(breach "$object")
    if [ -n "$fault" ]; then
        echo "$fault"
        exit 1
    fi
    seen=$((seen + 1))
done
echo "$seen objects hold nothing that runs before the choice"
