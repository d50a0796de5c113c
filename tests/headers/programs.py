#!/usr/bin/env python3
"""Compiles what a reader copies: the programs in the documents and all examples, as C17 with every warning an error, by
gcc and by clang; and a program that makes every arguments struct, as C++17. Exits 1 if something does not compile."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from declarations import ROOT, structs

DOCUMENTS = ["README.md", "README.zh.md", "docs/from-keras.md", "docs/errors.md"]
FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", f"-I{ROOT}/include", "-c", "-o", "/dev/null"]


def programs():
    """(name, text) of each program: blocks without a main() together, each whole program alone."""
    for document in DOCUMENTS:
        parts = []
        for number, block in enumerate(re.findall(r"^```c\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S)):
            if "int main(" in block:
                if not re.search(r"^static [\w *]+\(void\);", block, re.M):  # else only a sketch of a main()
                    yield f"{document}, block {number}", block
            elif re.match(r"(static|typedef|#include|//)", block):
                parts.append(block)
        if parts:
            yield document, "#include <cajal.h>\n" + "\n".join(parts)


def in_cxx():
    lines = ["#include <cajal.h>", "int main()", "{", "    size_t sum = 0;"]
    for struct in structs():
        lines += ["    {", f"        {struct.type} args;", f"        cj_{struct.name}_defaults(&args);",
                  "        sum += args.size;", "    }"]
    return "\n".join(lines + ["    return sum == 0;", "}", ""])


def compiles(compiler, flags, path, name):
    result = subprocess.run([compiler, *FLAGS, *flags, str(path)], capture_output=True, text=True)
    if result.returncode:
        print(f"{name}, by {compiler}:\n{result.stderr}")
    return result.returncode == 0


def main():
    good, count = True, 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "program.c"
        for compiler in filter(shutil.which, ["gcc", "clang"]):
            for name, text in programs():
                path.write_text(text)
                good &= compiles(compiler, ["-std=c17", "-Wno-unused-function"], path, name)
                count += 1
            for example in sorted((ROOT / "examples").glob("*.c")):
                good &= compiles(compiler, ["-std=c17"], example, example.name)
                count += 1
        path = pathlib.Path(folder) / "program.cpp"
        path.write_text(in_cxx())
        for compiler in filter(shutil.which, ["g++", "clang++"]):
            good &= compiles(compiler, ["-std=c++17"], path, "the arguments structs in C++")
            count += 1
    print(f"{count} programs compiled" if good else "some programs do not compile")
    return 0 if good else 1


sys.exit(main())
