"""What the public headers declare: functions, arguments structs and their members. Read as text, since their form is
fixed (tools/check-docs, tools/format)."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Member:
    def __init__(self, type_, name, length):
        self.type, self.name, self.length = type_, name, length


class Struct:
    """An arguments struct: `name` is "dense" of cj_dense_args."""

    def __init__(self, name, members):
        self.name, self.members = name, members

    @property
    def type(self):
        return f"cj_{self.name}_args"

    @property
    def defaults(self):
        return f"CJ_{self.name.upper()}_DEFAULTS"


class Parameter:
    def __init__(self, text):
        text = text.strip()
        function = re.match(r"(.*)\(\*(\w+)\)\((.*)\)$", text)
        self.function = bool(function)
        if function:
            self.name, self.type, self.pointer = function.group(2), text.replace(function.group(2), "", 1), True
            return
        array = re.match(r"(.*?)(\w+)\[\d*\]$", text)
        plain = re.match(r"(.*?)(\w+)$", text)
        found = array or plain
        self.type, self.name = found.group(1).strip(), found.group(2)
        self.pointer = bool(array) or self.type.endswith("*")


class Function:
    def __init__(self, result, name, parameters, comment):
        self.result, self.name, self.parameters, self.comment = result, name, parameters, comment


def headers():
    return sorted((ROOT / "include" / "cajal").glob("*.h"))


def _split(text):
    parts, depth, current = [], 0, ""
    for char in text:
        depth += char in "({["
        depth -= char in ")}]"
        if char == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return parts + [current] if current.strip() else parts


def functions():
    """Every public function, in the order of the headers."""
    found = []
    for header in headers():
        text = header.read_text()
        text = re.sub(r" CJ_PRINTF\(\d, \d\);", ";", text)
        for match in re.finditer(r"^CJ_API ([^;{]*?)(\w+)\(([^;]*)\);", text, re.M):
            comment = re.search(r"/\*\*((?:(?!\*/).)*)\*/\s*(?:(?:CJ_API|#define)[^\n]*\n(?:[^\n]+\n)*?)?$",
                                text[:match.start()], re.S)
            parameters = " ".join(match.group(3).split())
            listed = [] if parameters == "void" else [Parameter(p) for p in _split(parameters) if p.strip() != "..."]
            result = " ".join(match.group(1).split())
            found.append(Function(result, match.group(2), listed, comment.group(1) if comment else ""))
    return found


def _without_comments(text):
    return re.sub(r"///<[^\n]*", "", re.sub(r"/\*.*?\*/", "", text, flags=re.S))


def structs():
    """Every arguments struct that has defaults."""
    heads, found = {}, []
    for header in headers():
        text = header.read_text()
        for match in re.finditer(r"#define (CJ_\w+_MEMBERS)(?:\(dims\))? *\\\n((?:[^\n]*\\\n)*[^\n]*\n)", text):
            heads[match.group(1)] = match.group(2).replace("\\\n", "\n")
    for header in headers():
        text = header.read_text()
        for match in re.finditer(r"typedef struct cj_(\w+)_args \{(.*?)\n\} cj_\1_args;", text, re.S):
            body = match.group(2)
            for name, members in [*heads.items(), *heads.items()]:  # one may have another in it
                body = re.sub(name + r"(?:\(([^)]*)\)|(?!\())", lambda m, members=members: re.sub(
                    r"\bdims\b", m.group(1) or "", members), body)
            members = []
            for line in _without_comments(body).split(";"):
                line = " ".join(line.split())
                plain = re.match(r"(.*?)(\w+)((?:\[\w+\])*)$", line)
                function = re.match(r"(.*)\(\*(\w+)\)\(.*\)$", line)
                if function:
                    members.append(Member("function", function.group(2), None))
                elif plain:
                    members.append(Member(plain.group(1).strip(), plain.group(2), plain.group(3)))
            if f"#define CJ_{match.group(1).upper()}_DEFAULTS" in text:
                found.append(Struct(match.group(1), members))
    return found


if __name__ == "__main__":
    for struct in structs():
        print(struct.name, [(m.type, m.name, m.length) for m in struct.members])
    for function in functions():
        print(function.result, function.name, [(p.type, p.name, p.pointer) for p in function.parameters])
