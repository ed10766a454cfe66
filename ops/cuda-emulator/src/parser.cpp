// The grammar of a PTX module, as far as compilers use it.
#include "parser.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace emulator {
// Displacements from the start of dynamic shared memory, whose place is known when the function was read.
static constexpr s64 dynamicBase = 1ll << 60;

std::string trimmed(const std::string& s) {
    size_t first = s.find_first_not_of(" \t\r"), last = s.find_last_not_of(" \t\r");
    return first == std::string::npos ? "" : s.substr(first, last - first + 1);
}

std::vector<std::string> split(const std::string& s, char separator) {
    std::vector<std::string> parts;
    std::string part;
    int depth = 0;
    for (char c : s) {
        if (strchr("[{(", c)) depth++;
        if (strchr("]})", c)) depth--;
        if (c == separator && depth == 0) {
            parts.push_back(trimmed(part));
            part.clear();
        } else {
            part += c;
        }
    }
    if (!trimmed(part).empty() || !parts.empty()) parts.push_back(trimmed(part));
    return parts;
}

static u32 aligned(u32 offset, u32 align) { return (offset + align - 1) / align * align; }
static bool isNameCharacter(char c) { return isalnum((u8)c) || c == '_' || c == '$' || c == '%'; }

void Parser::error(const std::string& what) { throw ParseError("PTX line " + std::to_string(line) + ": " + what); }

// ---- characters and words

void Parser::skipSpace() {
    for (;;) {
        if (p[0] == '/' && p[1] == '/') {
            skipLine();
        } else if (p[0] == '/' && p[1] == '*') {
            for (; *p && !(p[0] == '*' && p[1] == '/'); p++) line += *p == '\n';
            if (*p) p += 2;
        } else if (*p && strchr(" \t\r\n", *p)) {
            line += *p++ == '\n';
        } else {
            return;
        }
    }
}

std::string Parser::word() {
    skipSpace();
    const char* start = p;
    while (isNameCharacter(*p) || *p == '.') p++;
    return std::string(start, p);
}

bool Parser::eat(char c) {
    skipSpace();
    if (*p != c) return false;
    p++;
    return true;
}

std::string Parser::until(char c) {
    std::string result;
    while (*p && *p != c) {
        if (p[0] == '/' && p[1] == '/') {
            skipLine();
            continue;
        }
        line += *p == '\n';
        result += *p == '\n' || *p == '\t' ? ' ' : *p;
        p++;
    }
    if (*p) p++;
    return result;
}

void Parser::skipLine() {
    while (*p && *p != '\n') p++;
}

void Parser::skipBraces() {
    int depth = 0;
    do {
        depth += (*p == '{') - (*p == '}');
        line += *p == '\n';
    } while (*p++ && depth);
}

// ---- the module

// File names stand behind the kernels that refer to them: read first.
void Parser::readFiles() {
    for (const char* at = text; (at = strstr(at, "\n\t.file"));) {
        at += 7;
        int number = atoi(at);
        const char* open = strchr(at, '"');
        const char* close = open ? strchr(open + 1, '"') : nullptr;
        if (number <= 0 || number > 10000 || !close) continue;
        if ((int)module.files.size() <= number) module.files.resize(number + 1);
        module.files[number] = std::string(open + 1, close);
    }
}

void Parser::parse() {
    readFiles();
    for (;;) {
        skipSpace();
        if (!*p) return;
        moduleDirective(word());
    }
}

void Parser::moduleDirective(const std::string& name) {
    if (name == ".version") {
        std::string version = word();
        module.version = atoi(version.c_str()) * 10 + atoi(version.c_str() + version.find('.') + 1);
    } else if (name == ".target") {
        std::string target = word();
        skipLine();
        if (target.compare(0, 3, "sm_")) error("target " + target);
        module.target = atoi(target.c_str() + 3);
        module.architectureSpecific = isalpha((u8)target.back());
    } else if (name == ".address_size") {
        if (word() != "64") error("only 64-bit addresses are supported");
    } else if (name == ".file" || name == ".loc") {
        skipLine();
    } else if (name == ".section") {
        until('}');
    } else if (name == ".pragma") {
        until(';');
    } else if (name == ".global" || name == ".const" || name == ".shared") {
        globalVariable(until(';'), name == ".shared");
    } else if (name == ".entry") {
        entry();
    } else if (name == ".func") {  // calls are refused by the decoder
        while (*p && *p != ';' && *p != '{') line += *p++ == '\n';
        *p == '{' ? skipBraces() : (void)eat(';');
    } else if (name != ".visible" && name != ".extern" && name != ".weak" && name != ".common") {
        error("unexpected '" + name + "' before '" + std::string(p, strnlen(p, 20)) + "'");
    }
}

Declaration Parser::declaration(const std::string& text) {
    Declaration d;
    size_t equals = text.find('=');
    if (equals != std::string::npos) d.initial = trimmed(text.substr(equals + 1));
    std::istringstream words(text.substr(0, equals));
    for (std::string w; words >> w;) {
        if (w == ".align") {
            words >> d.align;
        } else if (w[0] == '.') {
            if (Type type = typeNamed(w.substr(1))) d.elementBytes = bytesOf(type);
        } else {
            d.name += w;
        }
    }
    size_t bracket = d.name.find('[');
    if (bracket != std::string::npos) {
        std::string sizes = d.name.substr(bracket);
        d.name = d.name.substr(0, bracket);
        for (size_t at = 0; (at = sizes.find('[', at)) != std::string::npos; at++) {
            std::string size = trimmed(sizes.substr(at + 1, sizes.find(']', at) - at - 1));
            if (size.empty())
                d.open = true;
            else
                d.count *= (u32)strtoul(size.c_str(), nullptr, 0);
        }
    }
    if (!d.align) d.align = d.elementBytes;
    return d;
}

void Parser::globalVariable(const std::string& text, bool shared) {
    Declaration d = declaration(text);
    if (shared) {
        globals[d.name] = {SHARED, 0, d.open ? 0 : d.bytes()};
        if (d.open)
            dynamicShared = d.name;
        else
            sharedGlobals.push_back(d);
        return;
    }
    u64 at = memory.allocate(d.bytes());
    initialise(d, at);
    globals[d.name] = {GLOBAL, at, d.bytes()};
    module.globals[d.name] = {at, d.bytes()};
}

void Parser::initialise(const Declaration& d, u64 at) {
    Region region;
    if (!memory.find(at, region)) error("no memory for " + d.name);
    u8* bytes = (u8*)(at + region.hostDelta);
    memset(bytes, 0, d.bytes());
    if (region.written) memset(region.written, 1, d.bytes());
    std::string list = d.initial;
    std::replace_if(
        list.begin(), list.end(), [](char c) { return c == '{' || c == '}'; }, ' ');
    auto values = split(list, ',');
    for (size_t i = 0; i < values.size() && i < d.count; i++) {
        const char* v = values[i].c_str();
        bool bits = v[0] == '0' && v[1] && strchr("fFdD", v[1]);  // 0f3F800000
        u64 value = bits ? strtoull(v + 2, nullptr, 16) : (u64)strtoll(v, nullptr, 0);
        memcpy(bytes + i * d.elementBytes, &value, d.elementBytes);
    }
}

// ---- a kernel

// The scheduler fills them in this order at the start of a block: see scheduler.cpp.
void Parser::declareSpecialRegisters() {
    for (auto name : {"%tid.x",       "%tid.y",       "%tid.z",   "%ntid.x",           "%ntid.y",      "%ntid.z",
                      "%ctaid.x",     "%ctaid.y",     "%ctaid.z", "%nctaid.x",         "%nctaid.y",    "%nctaid.z",
                      "%laneid",      "%warpid",      "%nwarpid", "%lanemask_eq",      "%lanemask_lt", "%lanemask_le",
                      "%lanemask_gt", "%lanemask_ge", "%smid",    "%dynamic_smem_size"}) {
        scopes[0].registers[name] = newRegister(4);
    }
}

void Parser::entry() {
    auto owned = std::make_unique<Function>();
    f = owned.get();
    f->module = &module;
    f->name = word();
    scopes.assign(1, Scope{{}, {}, 0});
    nextScope = 1;
    labels.clear(), tables.clear(), parameters.clear(), jumps.clear(), dynamicConstants.clear();
    declareSpecialRegisters();
    if (eat('(')) readParameters(until(')'));
    entryDirectives();
    sharedTop = 0;
    for (auto& d : sharedGlobals) {
        sharedTop = aligned(sharedTop, d.align);
        scopes[0].variables[d.name] = {SHARED, sharedTop, d.bytes()};
        sharedTop += d.bytes();
    }
    const char* start = p;
    int startLine = line;
    try {
        p++;
        body();
        finish();
    } catch (ParseError& e) {
        f->unsupported = e.what();
        p = start;
        line = startLine;
        skipBraces();
    }
    module.functions[f->name] = std::move(owned);
}

void Parser::readParameters(const std::string& text) {
    u32 offset = 0;
    for (auto& one : split(text, ',')) {
        std::istringstream words(one);
        std::string kept;
        for (std::string w; words >> w;) {  // ".ptr .global .align 1" says something of what a pointer points to
            if (w == ".ptr") {
                std::string next;
                while (words >> next && next[0] == '.') {
                    if (next == ".align") words >> next;
                }
                w = next;
            }
            if (w != ".param") kept += w + " ";
        }
        Declaration d = declaration(kept);
        offset = aligned(offset, d.align);
        Parameter parameter{d.name, offset, d.bytes()};
        f->parameters.push_back(parameter);
        parameters[d.name] = parameter;
        offset += d.bytes();
    }
    f->parameterBytes = offset;
}

void Parser::entryDirectives() {
    for (;;) {
        skipSpace();
        if (*p == '{') return;
        std::string name = word();
        if (name == ".maxntid" || name == ".reqntid") {
            f->maxThreads = atoi(word().c_str());
            while (eat(',')) f->maxThreads *= atoi(word().c_str());
        } else if (name == ".minnctapersm" || name == ".maxnreg") {
            word();
        } else if (name == ".pragma") {
            until(';');
        } else {
            error("directive " + name + " of kernel " + f->name);
        }
    }
}

void Parser::body() {
    for (;;) {
        skipSpace();
        if (!*p) error("the file ends in a kernel");
        if (eat('{')) {
            scopes.push_back(Scope{{}, {}, nextScope++});
            continue;
        }
        if (eat('}')) {
            scopes.pop_back();
            if (scopes.empty()) return;
            continue;
        }
        if (label()) continue;
        if (!strncmp(p, ".loc", 4) && isspace((u8)p[4])) {
            sscanf(p + 4, "%d %d", &file, &sourceLine);
            skipLine();
            continue;
        }
        if (!strncmp(p, ".file", 5)) {
            skipLine();
            continue;
        }
        int first = line;
        std::string statement = trimmed(until(';'));
        if (!statement.empty() && !bodyDirective(statement)) decode(*this, *f, statement, first);
    }
}

// "name:", or "name: .branchtargets a, b;"
bool Parser::label() {
    const char* end = p;
    while (isNameCharacter(*end)) end++;
    if (end == p || *end != ':' || end[1] == ':') return false;
    std::string name(p, end);
    p = end + 1;
    skipSpace();
    if (!strncmp(p, ".branchtargets", 14)) {
        p += 14;
        tables[name] = split(until(';'), ',');
    } else {
        labels[name + "#" + std::to_string(scopes.back().id)] = (u32)f->code.size();
    }
    return true;
}

bool Parser::bodyDirective(const std::string& s) {
    if (s[0] != '.') return false;
    if (!s.compare(0, 4, ".reg")) {
        declareRegisters(s.substr(4));
    } else if (!s.compare(0, 7, ".shared")) {
        Declaration d = declaration(s.substr(7));
        sharedTop = aligned(sharedTop, d.align);
        scopes.back().variables[d.name] = {SHARED, sharedTop, d.bytes()};
        sharedTop += d.bytes();
    } else if (!s.compare(0, 6, ".local")) {
        Declaration d = declaration(s.substr(6));
        f->localBytes = aligned(f->localBytes, d.align);
        scopes.back().variables[d.name] = {LOCAL, f->localBytes, d.bytes()};
        f->localBytes = aligned(f->localBytes + d.bytes(), 16);
    } else if (s.compare(0, 7, ".pragma")) {
        error("directive " + s);
    }
    return true;
}

void Parser::declareRegisters(const std::string& text) {
    std::istringstream words(text);
    std::string typeName, names;
    words >> typeName;
    std::getline(words, names);
    int bytes = bytesOf(typeNamed(typeName.substr(1)));
    if (!bytes) error("register type " + typeName);
    for (auto& name : split(names, ',')) {
        size_t count = name.find('<');
        if (count == std::string::npos) {
            scopes.back().registers[name] = newRegister(bytes);
            continue;
        }
        for (int k = 0, n = atoi(name.c_str() + count + 1); k < n; k++) {  // they get their place on first use
            scopes.back().registers[trimmed(name.substr(0, count)) + std::to_string(k)] = {-2, (u8)bytes};
        }
    }
}

u32 Parser::targetOf(const Jump& jump, const std::string& label) {
    for (size_t k = jump.scopes.size(); k-- > 0;) {
        auto found = labels.find(label + "#" + std::to_string(jump.scopes[k]));
        if (found != labels.end()) return found->second;
    }
    error("label " + label + " is not defined");
}

void Parser::finish() {
    for (auto& jump : jumps) {
        Instruction& in = f->code[jump.instruction];
        if (!jump.table) {
            in.target = targetOf(jump, jump.label);
            continue;
        }
        if (!tables.count(jump.label)) error("table " + jump.label + " is not defined");
        for (auto& label : tables[jump.label]) in.targets.push_back(targetOf(jump, label));
    }
    f->staticShared = aligned(sharedTop, 16);
    for (auto& in : f->code) {
        for (s64* d : {&in.address.displacement, &in.address2.displacement}) {
            if (*d >= dynamicBase) *d += f->staticShared - dynamicBase;
        }
    }
    for (auto& [operand, displacement] : dynamicConstants) {
        u64 value = f->staticShared + displacement;
        for (int i = 0; i < warpSize; i++) {
            memcpy(operand.constant.get() + (size_t)i * operand.size, &value, operand.size);
        }
    }
    Instruction end;
    end.flow = Flow::EXIT;
    end.line = line;
    f->code.push_back(end);
}

// ---- operands

Register Parser::newRegister(int bytes) {
    Register r{(s32)f->registerBytes, (u8)bytes};
    f->registerBytes += aligned(bytes * warpSize, 64);
    return r;
}

Register* Parser::findRegister(const std::string& name) {
    for (size_t k = scopes.size(); k-- > 0;) {
        auto found = scopes[k].registers.find(name);
        if (found == scopes[k].registers.end()) continue;
        if (found->second.offset < 0) found->second = newRegister(found->second.size);
        return &found->second;
    }
    return nullptr;
}

bool Parser::findVariable(const std::string& name, Variable& variable) {
    for (size_t k = scopes.size(); k-- > 0;) {
        auto found = scopes[k].variables.find(name);
        if (found != scopes[k].variables.end()) return variable = found->second, true;
    }
    auto found = globals.find(name);
    return found != globals.end() && (variable = found->second, true);
}

Operand Parser::constant(u64 bits, int bytes) {
    Operand o;
    o.size = (u8)bytes;
    o.constant = std::shared_ptr<u8>((u8*)aligned_alloc(64, aligned(bytes * warpSize, 64)), free);
    for (int i = 0; i < warpSize; i++) memcpy(o.constant.get() + (size_t)i * bytes, &bits, bytes);
    return o;
}

// 12, -3, 0x1F, 1.5, 0f3F800000 (bits of a float), 0d3FF0000000000000 (of a double)
Operand Parser::number(const std::string& text, Type type, int bytes) {
    const char* t = text.c_str();
    auto asType = [&](double d) -> u64 { return type == F32 ? bitCast<u32>((float)d) : bitCast<u64>(d); };
    char kind = text.size() > 2 && t[0] == '0' ? (char)tolower(t[1]) : ' ';
    if (kind == 'f') {
        u32 bits = (u32)strtoul(t + 2, nullptr, 16);
        return constant(type == F64 ? asType(bitCast<float>(bits)) : bits, bytes);
    }
    if (kind == 'd') {
        u64 bits = strtoull(t + 2, nullptr, 16);
        return constant(type == F32 ? asType(bitCast<double>(bits)) : bits, bytes);
    }
    if (isFloat(type) && text.find('.') != std::string::npos) return constant(asType(strtod(t, nullptr)), bytes);
    return constant(t[0] == '-' ? (u64)strtoll(t, nullptr, 0) : strtoull(t, nullptr, 0), bytes);
}

Operand Parser::source(std::string name, Type type, int bytes) {
    bool negated = name[0] == '!';
    if (negated) name = trimmed(name.substr(1));
    bool anySize = bytes < 0;
    if (bytes <= 0) bytes = bytesOf(type);
    if (name == "_") return Operand();
    if (name == "WARP_SZ") return constant(warpSize, bytes);
    if (Register* r = findRegister(name)) {
        if (!anySize && r->size != bytes) {
            error(name + " has " + std::to_string(r->size) + " bytes where " + std::to_string(bytes) + " are wanted");
        }
        Operand o;
        o.offset = r->offset, o.size = r->size, o.negated = negated;
        return o;
    }
    if (isdigit((u8)name[0]) || name[0] == '-' || name[0] == '+') return number(name, type, bytes);
    size_t plus = name.find('+');
    u32 displacement = plus == std::string::npos ? 0 : (u32)strtol(name.c_str() + plus + 1, nullptr, 0);
    std::string base = trimmed(name.substr(0, plus));
    Variable v;
    if (!findVariable(base, v)) error("operand " + name);
    Operand o = constant(v.address + displacement, bytes);
    if (base == dynamicShared) dynamicConstants.push_back({o, displacement});
    return o;
}

Operand Parser::destination(const std::string& name, int bytes) {
    Operand o;
    if (name == "_") return o;
    Register* r = findRegister(name);
    if (!r) error("destination " + name);
    if (bytes && r->size != bytes) {
        error(name + " has " + std::to_string(r->size) + " bytes where " + std::to_string(bytes) + " are wanted");
    }
    o.offset = r->offset, o.size = r->size;
    return o;
}

// [register+8], [variable], [parameter], [16]
Address Parser::address(std::string text, Space& space) {
    if (text.empty() || text[0] != '[') error("address " + text);
    text = trimmed(text.substr(1, text.find(']') - 1));
    Address a;
    size_t sign = text.find_first_of("+-", 1);
    std::string base = trimmed(text.substr(0, sign));
    if (sign != std::string::npos) {
        std::string displacement = trimmed(text.substr(sign + 1));
        a.displacement = strtoll(displacement.c_str(), nullptr, 0) * (text[sign] == '-' ? -1 : 1);
    }
    if (isdigit((u8)base[0])) {
        a.displacement += strtoll(base.c_str(), nullptr, 0);
        return a;
    }
    auto parameter = parameters.find(base);
    if (parameter != parameters.end()) {
        space = PARAM;
        a.displacement += parameter->second.offset;
        return a;
    }
    if (Register* r = findRegister(base)) {
        a.base = r->offset, a.baseSize = r->size;
        return a;
    }
    Variable v;
    if (!findVariable(base, v)) error("address " + base);
    if (space == GENERIC) space = v.space;
    a.displacement += (s64)v.address + (base == dynamicShared ? dynamicBase : 0);
    return a;
}

s32 Parser::predicate(const std::string& name) {
    Register* r = findRegister(name);
    if (!r || r->size != 1) error("predicate " + name);
    return r->offset;
}

std::vector<int> Parser::scopeIds() const {
    std::vector<int> ids;
    for (auto& scope : scopes) ids.push_back(scope.id);
    return ids;
}
void Parser::branchTo(const std::string& label) { jumps.push_back({(u32)f->code.size(), label, scopeIds(), false}); }
void Parser::branchToTable(const std::string& name) { jumps.push_back({(u32)f->code.size(), name, scopeIds(), true}); }

std::vector<std::string> Parser::elements(const std::string& text) {
    if (text[0] != '{') return {text};
    return split(text.substr(1, text.find('}') - 1), ',');
}

std::unique_ptr<Module> parseModule(const char* text, Memory& memory) {
    auto module = std::make_unique<Module>();
    Parser(text, *module, memory).parse();
    return module;
}
}  // namespace emulator
