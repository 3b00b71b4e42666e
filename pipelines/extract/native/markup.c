/*
 * Markup of many pages to arrays: tags, texts, the tree, blocks of text. What these functions say is defined by
 * `columns.py`, `blocks.py` and `trees.py`, which call them and hold all tables; here are only the loops.
 *
 * Input is what lexbor writes: UTF-8, every element closed or known to have no end, `<` and `>` only around tags. Other
 * input gives other output, never a read or a write outside the arrays.
 */

#define _GNU_SOURCE /* memmem */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t i64;
typedef uint64_t u64;
typedef uint8_t u8;

enum { VOID = 1, BLOCK = 2, GONE = 4, RAW = 8, PLAIN = 16, IMAGE = 32, HEADER = 64, SAYS = 128, BREAKS = 256, NESTS = 512 };
enum { READ = 1 << 10, TEXTUAL = 1 << 11, FOREIGN = 1 << 12, BREAKOUT = 1 << 13, UNSURE = 1 << 14, TELLS = 1 << 15 };
enum { END = 1 << 7, TAG_MASK = END - 1, STYLE_SHIFT = 40 };
#define BREAK 0x1f
#define NO_MEMORY -9

/* --- a tree as lexbor writes it */

struct sink {
    u8 *out;
    i64 size, room;
};

static unsigned take(const u8 *piece, size_t size, void *to) {
    struct sink *sink = to;
    if ((i64)size > sink->room - sink->size)
        return 1;
    memcpy(sink->out + sink->size, piece, size);
    sink->size += (i64)size;
    return 0;
}

/* The markup of a node into `out`: its size, -1 if there is not room enough. `serialize` is lexbor's
 * lxb_html_serialize_tree_cb, which hands over each piece and ends when that is not taken. */
i64 write_markup(unsigned (*serialize)(void *, unsigned (*)(const u8 *, size_t, void *), void *), void *node, u8 *out, i64 room) {
    struct sink sink = {out, 0, room};
    return serialize(node, take, &sink) == 0 ? sink.size : -1;
}

/* --- what is known by its name: elements, and words of attributes */

#define SLOTS 1024
struct entry {
    const u8 *text;
    i64 size, code, kind;
};
static struct entry names[SLOTS], words[SLOTS], roles[SLOTS], properties[SLOTS];
static struct entry *const tables[] = {names, words, roles, properties};
static i64 kind_of_tag[END];

static u64 hash_of(const u8 *text, i64 size) {
    u64 hash = (u64)size * 0x9E3779B97F4A7C15u;
    while (size >= 8) {
        u64 word;
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0xBF58476D1CE4E5B9u;
        hash ^= hash >> 29;
        text += 8, size -= 8;
    }
    u64 rest = 0;
    memcpy(&rest, text, (size_t)size);
    hash = (hash ^ rest) * 0x94D049BB133111EBu;
    return hash ^ (hash >> 31);
}

static struct entry *slot(struct entry *table, const u8 *text, i64 size) {
    u64 at = hash_of(text, size) % SLOTS;
    while (table[at].text && (table[at].size != size || memcmp(table[at].text, text, (size_t)size)))
        at = (at + 1) % SLOTS;
    return &table[at];
}

/* Known texts of a table, each from ends[i - 1] to ends[i] of `text`, which has to stay; at most half as many as there
 * are slots. Of names the kinds are those of the elements with these numbers. */
void learn(i64 table, const u8 *text, const i64 *ends, const i64 *codes, const i64 *kinds, i64 count) {
    i64 begin = 0;
    memset(tables[table], 0, sizeof names);
    for (i64 i = 0; i < count && i < SLOTS / 2; i++) {
        struct entry known = {text + begin, ends[i] - begin, codes[i], kinds[i]};
        *slot(tables[table], known.text, known.size) = known;
        if (!table && codes[i] & TAG_MASK)
            kind_of_tag[codes[i] & TAG_MASK] = kinds[i];
        begin = ends[i];
    }
}

#define MOST_STEMS 256
static struct entry stems[MOST_STEMS];
static i64 stems_from[END + 1]; /* by their first letter, of each the longest first */

/* Beginnings of words, sorted by their first letter and then from long to short. */
void learn_stems(const u8 *text, const i64 *ends, const i64 *codes, i64 count) {
    i64 begin = 0, letter = 0;
    count = count < MOST_STEMS ? count : MOST_STEMS;
    for (i64 i = 0; i < count; i++) {
        stems[i] = (struct entry){text + begin, ends[i] - begin, codes[i], 0};
        for (; letter <= text[begin] && letter <= END; letter++)
            stems_from[letter] = i;
        begin = ends[i];
    }
    for (; letter <= END; letter++)
        stems_from[letter] = count;
}

/* --- white space, as str.isspace has it */

static int wide_space_at(const u8 *p, const u8 *end) {
    u8 c = *p;
    if (c == 0xc2)
        return end - p >= 2 && (p[1] == 0x85 || p[1] == 0xa0) ? 2 : 0;
    if (end - p < 3 || c < 0xe1 || c > 0xe3)
        return 0;
    if (c == 0xe1)
        return p[1] == 0x9a && p[2] == 0x80 ? 3 : 0;
    if (c == 0xe3)
        return p[1] == 0x80 && p[2] == 0x80 ? 3 : 0;
    if (p[1] == 0x80)
        return (p[2] >= 0x80 && p[2] <= 0x8a) || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf ? 3 : 0;
    return p[1] == 0x81 && p[2] == 0x9f ? 3 : 0;
}

static inline int space_at(const u8 *p, const u8 *end) {
    if (*p < 0x80)
        return *p <= ' ' && (*p == ' ' || (*p >= 9 && *p <= 13) || *p >= 0x1c);
    return wide_space_at(p, end);
}

/* The size of the white space that ends before p. */
static int space_before(const u8 *begin, const u8 *p) {
    const u8 *last = p - 1;
    while (last > begin && (*last & 0xc0) == 0x80)
        last--;
    int width = last >= begin ? space_at(last, p) : 0;
    return last + width == p ? width : 0;
}

static i64 stripped_length(const u8 *p, const u8 *end) {
    int width;
    while (p < end && (width = space_at(p, end)))
        p += width;
    while (end > p && (width = space_before(p, end)))
        end -= width;
    i64 length = 0;
    for (; p < end; p++)
        length += (*p & 0xc0) != 0x80;
    return length;
}

/* --- pages as they came */

enum { HAS_DATA = 1, HAS_MATH = 2, HAS_MATH_SCRIPT = 4, HAS_PLAINTEXT = 8, HAS_MARKS = 16, HAS_FORMULAS = 32 };
enum { HAS_COMMONS = 64, HAS_DRAWINGS = 128, HAS_TEMPLATES = 256, HAS_RAISED = 512 };
enum { TAGS, DEPTH, HINTS, LICENSED, SIZE, SURVEYED };
#define LONGEST_NAME 16
#define LONGEST_TAG 2000

static const u8 *find(const u8 *p, const u8 *end, const char *what) {
    i64 size = (i64)strlen(what);
    for (; end - p >= size; p++) {
        p = memchr(p, what[0], (size_t)(end - p - size + 1));
        if (!p || !memcmp(p, what, (size_t)size))
            return p;
    }
    return NULL;
}

static u8 lower(u8 c) {
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* A word in lower case, as far as there is room for it; how long it is. Written by eight letters at once, since it is read so
 * and a processor waits for single ones: `room` and what is behind `to` are so many eights. */
static i64 lowered(const u8 *p, const u8 *end, u8 *to, i64 room) {
    i64 size = end - p < room ? end - p : room;
    for (i64 at = 0; at < size; at += 8) {
        u64 eight = 0;
        for (i64 i = at; i < size && i < at + 8; i++)
            eight |= (u64)lower(p[i]) << 8 * (i - at);
        memcpy(to + at, &eight, 8);
    }
    return size;
}

static int begins(const u8 *p, const u8 *end, const char *what) {
    for (; *what; what++, p++)
        if (p == end || lower(*p) != (u8)*what)
            return 0;
    return 1;
}

static int is_name(const u8 *name, i64 size, const char *wanted) {
    return size == (i64)strlen(wanted) && !memcmp(name, wanted, (size_t)size);
}

/* What ends a name or a value without quotes, as the HTML standard has it. */
enum { GAP = 1, SLASH = 2, CLOSE = 4, EQUALS = 8 };
static const u8 stops[256] = {
    ['\t'] = GAP, ['\n'] = GAP, ['\f'] = GAP, ['\r'] = GAP, [' '] = GAP, ['/'] = SLASH, ['>'] = CLOSE, ['='] = EQUALS,
};

struct span {
    const u8 *begin, *end;
};

#define MOST_IDLE 8

/* A tag as it came: its name in lower case, or none where there is no room for it, and attributes that hint at something. */
struct came {
    const u8 *open, *close; /* its < and > */
    u8 name[LONGEST_NAME];
    i64 size, kind;
    int ends, empty, idles, slogan; /* slogan: MediaWiki's line below each title */
    struct span rel, class, type, idle[MOST_IDLE]; /* idle: attributes that nobody reads */
};

static void remember(struct came *tag, const u8 *name, i64 size, const u8 *value, const u8 *end, const u8 *behind) {
    static const u8 firsts[] = "acdiortACDIORT";
    if (!memchr(firsts, *name, sizeof firsts - 1))
        return;
    struct span *known = size == 3 && begins(name, value, "rel")     ? &tag->rel
                         : size == 4 && begins(name, value, "type")  ? &tag->type
                         : size == 5 && begins(name, value, "class") ? &tag->class
                                                                     : NULL;
    if (known && !known->begin)
        *known = (struct span){value, end};
    tag->slogan |= size == 2 && end - value == 7 && begins(name, value, "id") && !memcmp(value, "siteSub", 7);
    /* What scripts and browsers read, which is a tenth of a page. */
    int idle = size > 2 && !(tag->kind & READ) &&
               (begins(name, value, "on") || begins(name, value, "data-") || begins(name, value, "title=") ||
                            begins(name, value, "target=") || begins(name, value, "rel=") ||
                            begins(name, value, "aria-label"));
    if (idle && tag->idles < MOST_IDLE)
        tag->idle[tag->idles++] = (struct span){name, behind};
}

/* The tag whose name begins at p, by the tokenizer of the HTML standard; 0 where the page ends within it. */
static int read_tag(const u8 *p, const u8 *end, struct came *tag) {
    tag->rel = tag->class = tag->type = (struct span){0};
    tag->idles = tag->slogan = 0;
    const u8 *name = p;
    while (p < end && !(stops[*p] & (GAP | SLASH | CLOSE)))
        p++;
    memset(tag->name, 0, LONGEST_NAME);
    tag->size = p - name <= LONGEST_NAME ? lowered(name, p, tag->name, LONGEST_NAME) : 0;
    const struct entry *known = slot(names, tag->name, tag->size);
    tag->kind = known->text ? known->kind : 0;
    for (;;) {
        for (tag->empty = 0; p < end && stops[*p] & (GAP | SLASH); p++)
            tag->empty = *p == '/';
        if (p == end)
            return 0;
        if (*p == '>')
            return tag->close = p, 1;
        name = p++;
        while (p < end && !stops[*p])
            p++;
        i64 size = p - name;
        while (p < end && stops[*p] & GAP)
            p++;
        if (p == end || *p != '=')
            continue;
        for (p++; p < end && stops[*p] & GAP;)
            p++;
        if (p == end)
            return 0;
        const u8 *value = p;
        if (*p == '"' || *p == '\'') {
            value++;
            p = memchr(value, *p, (size_t)(end - value));
            if (!p)
                return 0;
            remember(tag, name, size, value, p, p + 1);
            p++;
        } else {
            while (p < end && !(stops[*p] & (GAP | CLOSE)))
                p++;
            remember(tag, name, size, value, p, p);
        }
    }
}

static int speaks_of(struct span value, const char *what) {
    return value.begin && find(value.begin, value.end, what);
}

/* What a start tag hints at. */
static i64 hints_of(const struct came *tag) {
    const u8 *name = tag->name;
    i64 size = tag->size;
    if (is_name(name, size, "math"))
        return HAS_MATH;
    if (is_name(name, size, "plaintext"))
        return HAS_PLAINTEXT;
    if (is_name(name, size, "svg"))
        return HAS_DRAWINGS;
    if (is_name(name, size, "template"))
        return HAS_TEMPLATES;
    if (is_name(name, size, "sup"))
        return HAS_RAISED;
    if (is_name(name, size, "img"))
        return speaks_of(tag->class, "mwe-math") || speaks_of(tag->class, "latex") ? HAS_FORMULAS : 0;
    if (is_name(name, size, "script"))
        return (speaks_of(tag->type, "math/") ? HAS_MATH_SCRIPT : 0) | (speaks_of(tag->type, "json") ? HAS_DATA : 0);
    return is_name(name, size, "span") && (speaks_of(tag->class, "mw-editsection") || speaks_of(tag->class, "pagenum"))
               ? HAS_MARKS
               : 0;
}

/* The < of the end tag of this name at or behind p; NULL where there is none. */
static const u8 *end_tag(const u8 *p, const u8 *end, const u8 *name, i64 size) {
    for (; (p = memchr(p, '<', (size_t)(end - p))); p++) {
        if (end - p < size + 3)
            return NULL;
        i64 same = 0;
        while (p[1] == '/' && same < size && lower(p[2 + same]) == name[same])
            same++;
        if (same == size && stops[p[2 + size]] & (GAP | SLASH | CLOSE))
            return p;
    }
    return NULL;
}

/* The < of the end tag of a script that begins at p. Behind <!-- another script may be inside, up to -->. */
static const u8 *end_of_script(const u8 *p, const u8 *end) {
    enum { PLAINLY, ESCAPED, TWICE } state = PLAINLY;
    for (; p < end; p++) {
        if (state == PLAINLY && !(p = memchr(p, '<', (size_t)(end - p))))
            return NULL;
        if (*p == '-' && state != PLAINLY && end - p >= 3 && p[1] == '-' && p[2] == '>') {
            state = PLAINLY;
        } else if (*p == '<' && state == PLAINLY && end - p >= 4 && !memcmp(p, "<!--", 4)) {
            state = ESCAPED;
            p++; /* the dashes may be those of --> */
        } else if (*p == '<') {
            int ends = end - p >= 2 && p[1] == '/';
            const u8 *behind = p + 7 + ends;
            if (behind >= end || !begins(p + 1 + ends, end, "script") || !(stops[*behind] & (GAP | SLASH | CLOSE)))
                continue;
            if (ends && state != TWICE)
                return p;
            state = ends || state == PLAINLY ? state == TWICE ? ESCAPED : state : TWICE;
        }
    }
    return NULL;
}

/* The copy of a page without what is left out of it. */
struct copy {
    const u8 *from; /* what is still to be copied */
    u8 *to;
};

static void copy_until(struct copy *copy, const u8 *p) {
    memcpy(copy->to, copy->from, (size_t)(p - copy->from));
    copy->to += p - copy->from;
    copy->from = p;
}

#define DEEPEST 32

/* Where a reader of tags is: in which elements of a drawing or a formula, the outermost first, and in a list of options. */
struct place {
    int options, depth, html; /* html: in how many of them HTML may be */
    struct {
        u8 name[LONGEST_NAME];
        i64 size;
    } open[DEEPEST];
    u8 *begin; /* the content of the outermost in the copy */
};

static int holds_html(const u8 *name, i64 size, int drawing) {
    return !drawing || is_name(name, size, "title") || is_name(name, size, "desc");
}

/* Takes in the tag of a drawing or a formula, or one inside it; 0 where it cannot be told what a parser makes of what follows,
 * since they do not pair up or HTML is inside. */
static int take_foreign(struct place *place, const struct came *tag, struct copy *copy) {
    int root = !place->depth, drawing = is_name(root ? tag->name : place->open[0].name, 3, "svg");
    if (tag->ends) {
        int last = place->depth - 1;
        if (place->open[last].size != tag->size || memcmp(place->open[last].name, tag->name, LONGEST_NAME))
            return 0;
        place->html -= holds_html(tag->name, tag->size, drawing);
        place->depth--;
        if (!place->depth && drawing) { /* nobody looks into a drawing */
            copy->to = place->begin;
            copy->from = tag->open;
        }
        return 1;
    }
    if (!root && (tag->kind & BREAKOUT || (tag->kind & (TEXTUAL | FOREIGN) && place->html)))
        return 0;
    if (tag->empty)
        return 1;
    if (root) {
        copy_until(copy, tag->close + 1);
        place->begin = copy->to;
    }
    if (place->depth == DEEPEST || !tag->size)
        return 0;
    memcpy(place->open[place->depth].name, tag->name, LONGEST_NAME);
    place->open[place->depth++].size = tag->size;
    place->html += holds_html(tag->name, tag->size, drawing);
    return 1;
}

/* The > of what begins with <! or <? or </ without a name, NULL where there is none. Of a comment also what it says. */
static const u8 *end_of_declaration(const u8 *p, const u8 *end, int foreign, struct span *says) {
    if (foreign && begins(p, end, "<![cdata[")) {
        const u8 *close = find(p, end, "]]>");
        return close ? close + 2 : NULL;
    }
    if (end - p < 4 || memcmp(p, "<!--", 4))
        return memchr(p, '>', (size_t)(end - p));
    p += 4;
    if (end - p >= 1 && *p == '>')
        return p;
    if (end - p >= 2 && p[0] == '-' && p[1] == '>')
        return p + 1;
    says->begin = p;
    while ((p = find(p, end, "--"))) {
        says->end = p;
        while (p < end && *p == '-')
            p++;
        p += p < end && *p == '!';
        if (p < end && *p == '>')
            return p;
    }
    return NULL;
}

static i64 depth_of(const u8 *p, const u8 *end) {
    i64 depth = 0, deepest = 0;
    struct came tag;
    for (; p < end && (p = memchr(p, '<', (size_t)(end - p))); p++) {
        int ends = p + 1 < end && p[1] == '/';
        const u8 *name = p + 1 + ends;
        for (tag.size = 0; name < end && tag.size < LONGEST_NAME && !(stops[*name] & (GAP | SLASH | CLOSE)); name++)
            tag.name[tag.size++] = lower(*name);
        const struct entry *known = tag.size ? slot(names, tag.name, tag.size) : NULL;
        if (!known || !known->text || !(known->kind & NESTS))
            continue;
        depth += !ends ? 1 : depth > 0 ? -1 : 0;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

/* What a page has by a look at its tags, and the page without what scripts, styles, comments and drawings hold, and without
 * the attributes that nobody reads.
 *
 * Reads as the tokenizer of the HTML standard does. From where that is not enough to say what a parser would do, all is left
 * as it is, and each < looked at. `out` has room for the page. `found`: how many tags, no more than one beyond `most`; how deep
 * those nest that only an end tag closes, looked at where there are more tags than `shallow`; HINTS; how many links or anchors
 * speak of a licence, the first `room` of which lie from licensed[2 * i] to licensed[2 * i + 1]; the size of `out`. */
void survey(const u8 *html, i64 size, i64 most, i64 shallow, u8 *out, i64 *found, i64 *licensed, i64 room) {
    const u8 *end = html + size, *p = html;
    struct copy copy = {html, out};
    struct place place = {0};
    struct came tag;
    int sure = 1;
    memset(found, 0, SURVEYED * sizeof *found);
    while (found[TAGS] <= most && p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
        const u8 *begin = p++, *reach = sure || end - begin < LONGEST_TAG ? end : begin + LONGEST_TAG;
        tag.ends = p < end && *p == '/';
        const u8 *name = p + tag.ends;
        int named = name < end && lower(*name) >= 'a' && lower(*name) <= 'z';
        if (!named && !tag.ends && !(p < end && (*p == '!' || *p == '?')))
            continue;
        found[TAGS]++;
        if (!named) {
            struct span says = {0};
            sure = sure && !(place.html && begins(begin, end, "<![cdata["));
            const u8 *close = sure ? end_of_declaration(begin, end, place.depth > 0, &says) : begin;
            if (!close)
                break;
            p = close + 1;
            if (says.begin) {
                copy_until(&copy, says.begin);
                copy.from = says.end;
            }
            continue;
        }
        tag.open = begin;
        int whole = read_tag(name, reach, &tag);
        if (!whole && sure)
            break;
        int links = tag.rel.begin && !tag.ends && (is_name(tag.name, tag.size, "a") || is_name(tag.name, tag.size, "link"));
        if (whole && links && tag.close - begin < LONGEST_TAG && speaks_of(tag.rel, "license") && found[LICENSED]++ < room) {
            licensed[2 * found[LICENSED] - 2] = begin - html;
            licensed[2 * found[LICENSED] - 1] = tag.close - html;
        }
        found[HINTS] |= !tag.ends && tag.kind & TELLS ? hints_of(&tag) : 0;
        found[HINTS] |= !tag.ends && tag.slogan ? HAS_MARKS : 0;
        if (!sure)
            continue;
        p = tag.close + 1;
        for (int i = 0; i < tag.idles; i++) {
            copy_until(&copy, tag.idle[i].begin);
            copy.from = tag.idle[i].end;
        }
        if (is_name(tag.name, tag.size, "select"))
            place.options = !tag.ends;
        if (place.depth || (!tag.ends && tag.kind & FOREIGN)) {
            sure = !place.options && take_foreign(&place, &tag, &copy);
        } else if (tag.kind & UNSURE) {
            sure = 0;
        } else if (!tag.ends && tag.kind & TEXTUAL) {
            int script = is_name(tag.name, tag.size, "script");
            const u8 *behind = script ? end_of_script(p, end) : end_tag(p, end, tag.name, tag.size);
            if (!behind)
                break;
            if (place.options && !script) {
                sure = 0;
                continue;
            }
            if (script ? !speaks_of(tag.type, "json") && !speaks_of(tag.type, "math/") : is_name(tag.name, tag.size, "style")) {
                copy_until(&copy, p);
                copy.from = behind;
            }
            p = behind;
        }
    }
    copy_until(&copy, end);
    found[SIZE] = copy.to - out;
    if (memmem(html, (size_t)size, "creativecommons.org/", 20))
        found[HINTS] |= HAS_COMMONS;
    if (found[TAGS] > shallow)
        found[DEPTH] = depth_of(out, copy.to);
}

/* Whether bytes are text in UTF-8, and no character of it is half of a surrogate pair. */
i64 is_utf8(const u8 *p, i64 size) {
    const u8 *end = p + size;
    while (p < end) {
        u64 four[4];
        if (end - p >= 32 && (memcpy(four, p, 32), !((four[0] | four[1] | four[2] | four[3]) & 0x8080808080808080u))) {
            p += 32;
            continue;
        }
        u8 c = *p++;
        if (c < 0x80)
            continue;
        i64 left = end - p;
        int more = c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 0;
        if (!more || left < more)
            return 0;
        if ((c == 0xe0 && p[0] < 0xa0) || (c == 0xed && p[0] > 0x9f) || (c == 0xf0 && p[0] < 0x90) ||
            (c == 0xf4 && p[0] > 0x8f))
            return 0;
        for (; more; more--)
            if ((*p++ & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

/* --- tags to codes */

/* Purposes that the C itself speaks of, in the order in which they are told. */
enum { CONTENT, BODY_TEXT, HIDDEN, UNSEEN, OVERLAY, TOLD };
static i64 purposes[TOLD];

static uint32_t checksums[256];

/* What else has to be there before the first tag is described. */
void learn_purposes(const i64 *bits) {
    memcpy(purposes, bits, sizeof purposes);
    for (uint32_t i = 0; i < 256; i++) {
        checksums[i] = i;
        for (int bit = 0; bit < 8; bit++)
            checksums[i] = checksums[i] >> 1 ^ (checksums[i] & 1 ? 0xEDB88320u : 0);
    }
}

/* CRC-32, as zlib has it, continued over some bytes. */
static uint32_t checksum(uint32_t sum, const u8 *text, i64 size) {
    sum = ~sum;
    for (i64 i = 0; i < size; i++)
        sum = checksums[(sum ^ text[i]) & 0xff] ^ sum >> 8;
    return ~sum;
}

static i64 name_size(const u8 *tag, const u8 *end) {
    const u8 *space = memchr(tag, ' ', (size_t)(end - tag));
    return (space ? space : end) - tag;
}

static int joins(u8 c) {
    return c == '_' || c == '-';
}

static int is_word(u8 c) {
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

/* [_-]{1,2} word characters [_-]{0,2}, or [_-]{0,2} alone */
static int is_joint(const u8 *p, const u8 *end) {
    i64 size = end - p;
    if (size <= 2 && (size < 1 || joins(p[0])) && (size < 2 || joins(p[1])))
        return 1;
    for (int before = 1; before <= 2 && before < size && joins(p[before - 1]); before++)
        for (int after = 0; after <= 2 && before + after < size && (!after || joins(end[-after])); after++) {
            const u8 *q = p + before;
            while (q < end - after && is_word(*q))
                q++;
            if (q == end - after)
                return 1;
        }
    return 0;
}

#define LONGEST_JOINT 40

/* Names that are given to the element around the text itself, and to hardly anything else: article-body, post_content,
 * entry-inner-text. */
static int names_body_text(const u8 *value, const u8 *end) {
    static const char *const heads[] = {"article", "post", "entry",   "story", "news", "blog",  "page", "single",
                                        "detail",  "body", "content", "text",  "node", "field", "td",   "rich"};
    static const char *const tails[] = {"body", "contents", "content", "text", "copy", "main"};
    for (const u8 *p = value; p < end; p++) {
        if (begins(p, end, "articlebody") || begins(p, end, "storytext") || begins(p, end, "postbody"))
            return 1;
        if (p > value && !joins(p[-1]) && !space_before(value, p))
            continue;
        for (size_t head = 0; head < sizeof heads / sizeof *heads; head++) {
            if (!begins(p, end, heads[head]))
                continue;
            const u8 *behind = p + strlen(heads[head]), *reach = end - behind < LONGEST_JOINT ? end : behind + LONGEST_JOINT;
            for (const u8 *tail = behind; tail < reach && !space_at(tail, end); tail++)
                for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
                    const u8 *stop = tail + strlen(tails[i]);
                    if (!begins(tail, end, tails[i]) || (stop < end && !joins(*stop) && !space_at(stop, end)))
                        continue;
                    if (is_joint(behind, tail) || (tail > behind && lower(*behind) == 's' && is_joint(behind + 1, tail)))
                        return 1;
                }
        }
    }
    return 0;
}

/* Shown to screen readers alone: what the layout says to everybody else. */
static int is_for_readers(const u8 *p, const u8 *end) {
    for (; p < end; p++)
        if (begins(p, end, "screenreader") || begins(p, end, "screen-reader") || begins(p, end, "sr-only") ||
            begins(p, end, "visuallyhidden") || begins(p, end, "visually-hidden"))
            return 1;
    return 0;
}

static int sets(const u8 *p, const u8 *end, const char *property, const char *value) {
    if (!begins(p, end, property))
        return 0;
    int width, colon = 0;
    for (p += strlen(property); p < end && ((width = space_at(p, end)) || (*p == ':' && !colon)); p += width ? width : 1)
        colon |= !width;
    return colon && begins(p, end, value);
}

static int is_invisible(const u8 *p, const u8 *end) {
    for (; p < end; p++)
        if (sets(p, end, "display", "none") || sets(p, end, "visibility", "hidden"))
            return 1;
    return 0;
}

/* A word of a class or an id; one that is longer than any known word has at most a known beginning. */
#define LONGEST_WORD 32

static i64 purposes_of_word(const u8 *p, const u8 *end) {
    u8 word[LONGEST_WORD];
    i64 size = lowered(p, end, word, LONGEST_WORD);
    i64 bits = end - p == size ? slot(words, word, size)->code : 0;
    if (word[0] < END)
        for (i64 i = stems_from[word[0]]; i < stems_from[word[0] + 1]; i++)
            if (stems[i].size <= size && !memcmp(stems[i].text, word, (size_t)stems[i].size))
                return bits | stems[i].code;
    return bits;
}

static i64 purposes_of_name(const u8 *value, const u8 *end) {
    i64 bits = 0;
    for (const u8 *p = value; p < end;) {
        int width = joins(*p) ? 1 : space_at(p, end);
        if (width) {
            p += width;
            continue;
        }
        const u8 *word = p;
        while (p < end && !joins(*p) && !space_at(p, end))
            p++;
        bits |= purposes_of_word(word, p);
    }
    if (bits & purposes[CONTENT] && names_body_text(value, end))
        bits |= purposes[BODY_TEXT];
    if (bits & purposes[HIDDEN] && is_for_readers(value, end))
        bits |= purposes[UNSEEN];
    return bits;
}

static i64 purposes_of_attribute(const u8 *name, i64 size, const u8 *value, const u8 *end) {
    if (is_name(name, size, "role"))
        return slot(roles, value, end - value)->code;
    if (is_name(name, size, "itemprop"))
        return slot(properties, value, end - value)->code;
    if (is_name(name, size, "style"))
        return is_invisible(value, end) ? purposes[UNSEEN] : 0;
    if (is_name(name, size, "hidden"))
        return purposes[UNSEEN];
    if (is_name(name, size, "aria-hidden") && is_name(value, end - value, "true"))
        return purposes[HIDDEN];
    return is_name(name, size, "aria-modal") && is_name(value, end - value, "true") ? purposes[OVERLAY] : 0;
}

static i64 style_of(uint32_t sum) {
    return (i64)(sum & 0x7fffff) << STYLE_SHIFT;
}

struct attribute {
    const u8 *name;
    i64 length;
    const u8 *value, *end;
};

/* The next attribute with a value, *p being where the one before ends; 0 where there is none. */
static int next_attribute(const u8 **p, const u8 *end, struct attribute *found) {
    const u8 *at = *p;
    while (at < end) {
        found->name = ++at; /* behind the space */
        while (at < end && *at != '=' && *at != ' ')
            at++;
        found->length = at - found->name;
        if (end - at < 2 || at[0] != '=' || at[1] != '"')
            continue;
        found->value = at + 2;
        found->end = memchr(found->value, '"', (size_t)(end - found->value));
        if (!found->end)
            break;
        *p = found->end + 1;
        return 1;
    }
    return 0;
}

/* What stands between < and > as a number, see `markup.py`. */
i64 describe(const u8 *tag, const u8 *end) {
    if (tag < end && (*tag == '!' || *tag == '?'))
        return slot(names, (const u8 *)"!", 1)->code;
    int ends = tag < end && *tag == '/';
    i64 size = name_size(tag + ends, end);
    const struct entry *name = slot(names, tag + ends, size);
    if (ends)
        return (name->code & TAG_MASK) | END;
    uint32_t sum = checksum(0, tag, size);
    i64 code = name->code, style = style_of(sum);
    const u8 *p = name->kind & PLAIN ? end : tag + size;
    struct attribute found;
    while (next_attribute(&p, end, &found)) {
        int is_class = is_name(found.name, found.length, "class");
        if (is_class || is_name(found.name, found.length, "id"))
            code |= purposes_of_name(found.value, found.end);
        else
            code |= purposes_of_attribute(found.name, found.length, found.value, found.end);
        if (is_class)
            style = style_of(checksum(checksum(sum, (const u8 *)" ", 1), found.value, found.end - found.value));
    }
    return code | style;
}

/* --- names that authors give to elements */

/* The checksum of a name in lower case, runs of digits being one 0; *p is moved behind it. */
static uint32_t sum_of_name(uint32_t sum, const u8 **p, const u8 *end) {
    int in_number = 0;
    for (; *p < end && **p > ' '; ++*p) {
        int digit = **p >= '0' && **p <= '9';
        u8 letter = digit ? '0' : lower(**p);
        if (!digit || !in_number)
            sum = checksum(sum, &letter, 1);
        in_number = digit;
    }
    return sum;
}

/* The names in class and id of all elements but inline ones: which element, and a checksum, of an id with # before it. How
 * many there are; half as many as the tags have bytes is room enough. */
i64 list_names(const u8 *html, const i64 *tag_begins, const i64 *tag_ends, const i64 *codes, const i64 *opens,
               i64 elements, i64 *element, uint32_t *sums) {
    i64 count = 0;
    for (i64 i = 0; i < elements; i++) {
        if (kind_of_tag[codes[opens[i]] & TAG_MASK] & PLAIN)
            continue;
        const u8 *tag = html + tag_begins[opens[i]], *end = html + tag_ends[opens[i]];
        const u8 *p = tag + name_size(tag, end);
        struct attribute found;
        while (next_attribute(&p, end, &found)) {
            int is_id = is_name(found.name, found.length, "id");
            if (!is_id && !is_name(found.name, found.length, "class"))
                continue;
            for (const u8 *name = found.value; name < found.end;) {
                if (*name <= ' ') {
                    name++;
                    continue;
                }
                element[count] = i;
                sums[count++] = sum_of_name(is_id ? checksum(0, (const u8 *)"#", 1) : 0, &name, found.end);
            }
        }
    }
    return count;
}

/* Names and their scores to a table with open addressing, more than half of which stays empty: 0. */
void lay_out_names(const uint32_t *sums, const float *scores, i64 count, uint32_t *slot_sums, float *slot_scores,
                   i64 slots) {
    for (i64 i = 0; i < count; i++) {
        i64 at = sums[i] % slots;
        while (slot_sums[at])
            at = (at + 1) % slots;
        slot_sums[at] = sums[i];
        slot_scores[at] = scores[i];
    }
}

struct named {
    float nearest, second, third, least, most, sum;
    i64 known;
};

/* What the scores of the names of an element and of all above it say, for each leaf: a row each of the nearest element's
 * score, that of the second nearest, the least and the largest of any name, sum and mean of the elements' scores, how many
 * elements have one, the sum of the nearest three. An element's score is that of its name which says most. */
i64 score_names(const i64 *element, const uint32_t *sums, i64 count, const uint32_t *slot_sums, const float *slot_scores,
                i64 slots, const i64 *parent, i64 elements, const i64 *leaf, i64 leaves, float *found) {
    struct named *all = malloc((size_t)(elements + 1) * sizeof *all);
    if (!all)
        return NO_MEMORY;
    i64 next = 0;
    for (i64 i = 0; i < elements; i++) {
        struct named own = {0};
        if (parent[i] >= 0)
            own = all[parent[i]];
        float says = 0;
        for (; next < count && element[next] == i; next++) {
            i64 at = sums[next] % slots;
            while (slot_sums[at] && slot_sums[at] != sums[next])
                at = (at + 1) % slots;
            float score = slot_scores[at];
            if (!slot_sums[at])
                continue;
            own.least = score < own.least ? score : own.least;
            own.most = score > own.most ? score : own.most;
            if (score * score > says * says)
                says = score;
        }
        if (says != 0) {
            own.third = own.second, own.second = own.nearest, own.nearest = says;
            own.sum += says;
            own.known++;
        }
        all[i] = own;
    }
    for (i64 i = 0; i < leaves; i++) {
        const struct named *own = &all[leaf[i]];
        const float row[] = {own->nearest, own->second, own->least, own->most, own->sum,
                             own->known ? own->sum / (float)own->known : 0, (float)own->known,
                             own->nearest + own->second + own->third};
        for (i64 j = 0; j < (i64)(sizeof row / sizeof *row); j++)
            found[j * leaves + i] = row[j];
    }
    free(all);
    return 0;
}

/* --- pages to tokens */

struct scanner {
    const u8 *html;
    i64 *tag_begin, *tag_end, *text_begin, *codes;
    u8 *texts;
    i64 tokens, size;
};

/* The > that ends what begins behind a <; NULL where there is none. */
static const u8 *end_of_tag(const u8 *p, const u8 *end) {
    if (end - p >= 3 && !memcmp(p, "!--", 3)) {
        const u8 *close = find(p + 3, end, "-->");
        if (close)
            return close + 2;
    }
    return memchr(p, '>', (size_t)(end - p));
}

static void add_text(struct scanner *s, const u8 *p, const u8 *end) {
    u8 *out = s->texts + s->size;
    while (p < end) {
        if (*p == '&' && end - p >= 6 && !memcmp(p, "&nbsp;", 6)) {
            *out++ = 0xc2, *out++ = 0xa0, p += 6;
        } else {
            *out++ = *p == BREAK ? ' ' : *p;
            p++;
        }
    }
    s->size = out - s->texts;
}

static void add_token(struct scanner *s, const u8 *tag, const u8 *end, i64 code) {
    s->tag_begin[s->tokens] = tag - s->html;
    s->tag_end[s->tokens] = end - s->html;
    s->text_begin[s->tokens] = s->size;
    s->codes[s->tokens++] = code;
}

/* Behind the element that a start tag of this name opens, its images counted; `end` where it is not closed. */
static const u8 *behind_element(const u8 *p, const u8 *end, const struct entry *name, i64 *images) {
    i64 depth = 1;
    while ((p = memchr(p, '<', (size_t)(end - p)))) {
        const u8 *tag = p + 1;
        if (name->kind & RAW) {
            if (end - tag > name->size && *tag == '/' && !memcmp(tag + 1, name->text, (size_t)name->size)) {
                const u8 *close = memchr(tag, '>', (size_t)(end - tag));
                return close ? close + 1 : end;
            }
            p = tag;
            continue;
        }
        const u8 *close = end_of_tag(tag, end);
        if (!close)
            return end;
        p = close + 1;
        int ends = *tag == '/';
        struct entry *found = slot(names, tag + ends, name_size(tag + ends, close));
        if (found == name && !(depth += ends ? -1 : 1))
            return p;
        if (!ends && found->text && found->kind & IMAGE)
            ++*images;
        else if (!ends && found->text && found->kind & RAW && found != name)
            p = behind_element(p, end, found, images);
    }
    return end;
}

#define MAX_HEADERS 64 /* in one another */
#define LAST_HEADERS 50

/* Tokens of a page; the first `spared` headers stay, whatever they hold. How many headers there are. */
static i64 scan_page(struct scanner *s, const u8 *p, const u8 *end, i64 spared, i64 *images) {
    struct { i64 tokens, size, says; } headers[MAX_HEADERS];
    i64 open_headers = 0, first = s->tokens, seen = 0;
    *images = 0;
    while (p < end) {
        const u8 *open = memchr(p, '<', (size_t)(end - p));
        const u8 *tag = open ? open + 1 : end, *close = open ? end_of_tag(tag, end) : NULL;
        const u8 *text_end = close ? open : end;
        if (s->tokens > first)
            add_text(s, p, text_end);
        if (!close)
            return seen;
        p = close + 1;
        int ends = tag < close && *tag == '/', other = tag < close && (*tag == '!' || *tag == '?');
        const struct entry *name = slot(names, tag + ends, name_size(tag + ends, close));
        i64 kind = name->text && !other ? name->kind : 0;
        if (ends) {
            if (kind & HEADER && open_headers > 0 && --open_headers < MAX_HEADERS) {
                if (!headers[open_headers].says) {
                    s->tokens = headers[open_headers].tokens;
                    s->size = headers[open_headers].size;
                    continue;
                }
                if (open_headers > 0)
                    headers[open_headers - 1].says = 1;
            }
            add_token(s, tag, close, (name->code & TAG_MASK) | END);
            continue;
        }
        if (kind & IMAGE)
            ++*images;
        if (kind & BREAKS) {
            if (s->tokens > first)
                s->texts[s->size++] = BREAK;
        } else if (kind & GONE) {
            if (!(kind & VOID))
                p = behind_element(p, end, name, images);
        } else {
            if (kind & SAYS && open_headers > 0)
                headers[open_headers <= MAX_HEADERS ? open_headers - 1 : MAX_HEADERS - 1].says = 1;
            if (kind & HEADER && open_headers++ < MAX_HEADERS) {
                headers[open_headers - 1].tokens = s->tokens;
                headers[open_headers - 1].size = s->size;
                headers[open_headers - 1].says = seen < spared;
            }
            seen += (kind & HEADER) != 0;
            add_token(s, tag, close, describe(tag, close));
        }
    }
    return seen;
}

/* Tokens of pages, page i from starts[i] to starts[i + 1] of `html`; how many there are.
 *
 * Of each token where its tag is in `html`, where the text behind it begins in `texts`, how many characters that has
 * without the spaces around it, and its code, see `describe`. Arrays hold one more number than there are < in `html`,
 * `texts` as many bytes as `html`. Of each page how many tokens and how many image elements it has. */
i64 scan(const u8 *html, const i64 *starts, i64 pages, i64 *tag_begin, i64 *tag_end, i64 *text_begin, i64 *lengths,
         i64 *codes, i64 *page_tokens, i64 *page_images, u8 *texts) {
    struct scanner s = {html, tag_begin, tag_end, text_begin, codes, texts, 0, 0};
    for (i64 page = 0; page < pages; page++) {
        i64 before = s.tokens, size = s.size;
        const u8 *begin = html + starts[page], *end = html + starts[page + 1];
        i64 headers = scan_page(&s, begin, end, 0, &page_images[page]);
        if (headers > LAST_HEADERS) { /* so it was when the models were trained; such pages are lists of posts */
            s.tokens = before, s.size = size;
            scan_page(&s, begin, end, headers - LAST_HEADERS, &page_images[page]);
        }
        page_tokens[page] = s.tokens - before;
    }
    text_begin[s.tokens] = s.size;
    for (i64 i = 0; i < s.tokens; i++)
        lengths[i] = text_begin[i] == text_begin[i + 1] ? 0 : stripped_length(texts + text_begin[i], texts + text_begin[i + 1]);
    return s.tokens;
}

/* --- tokens to elements */

enum { BROKEN = -1, TOO_DEEP = -2 };

/* Elements in the order of their start tags; how many there are, or why there are none. */
i64 pair_tags(const i64 *codes, const i64 *page_tokens, i64 pages, i64 max_depth, i64 *opens, i64 *closes, i64 *parent,
              i64 *level, i64 *owner) {
    i64 elements = 0, token = 0;
    int too_deep = 0;
    for (i64 page = 0; page < pages; page++) {
        i64 around = -1, depth = 0;
        for (i64 end = token + page_tokens[page]; token < end; token++) {
            if (codes[token] & END) {
                if (around < 0)
                    return BROKEN;
                closes[around] = token;
                around = parent[around];
                depth--;
            } else if (!(kind_of_tag[codes[token] & TAG_MASK] & VOID)) {
                opens[elements] = token;
                parent[elements] = around;
                level[elements] = depth++;
                around = elements++;
                too_deep |= depth > max_depth;
            }
            owner[token] = around;
        }
        if (around >= 0)
            return BROKEN;
    }
    return too_deep ? TOO_DEEP : elements;
}

/* --- what flows from elements to those in them; parents come first */

void inherit_most(const i64 *parent, i64 elements, int16_t *values) {
    for (i64 i = 0; i < elements; i++)
        if (parent[i] >= 0 && values[parent[i]] > values[i])
            values[i] = values[parent[i]];
}

void inherit_bits(const i64 *parent, i64 elements, i64 *bits) {
    for (i64 i = 0; i < elements; i++)
        if (parent[i] >= 0)
            bits[i] |= bits[parent[i]];
}

void inherit_nearest(const i64 *parent, i64 elements, const u8 *wanted, i64 *found) {
    for (i64 i = 0; i < elements; i++)
        found[i] = wanted[i] ? i : parent[i] >= 0 ? found[parent[i]] : -1;
}

void inherit_outermost(const i64 *parent, i64 elements, const u8 *wanted, i64 *found) {
    for (i64 i = 0; i < elements; i++) {
        i64 above = parent[i] >= 0 ? found[parent[i]] : -1;
        found[i] = above >= 0 ? above : wanted[i] ? i : -1;
    }
}

void inherit_paths(const i64 *parent, i64 elements, const i64 *codes, const i64 *opens, u64 *paths) {
    for (i64 i = 0; i < elements; i++) {
        u64 style = ((u64)codes[opens[i]] >> STYLE_SHIFT) + 1;
        paths[i] = parent[i] >= 0 ? paths[parent[i]] * 0x9E3779B97F4A7C15u + style : style;
    }
}

/* Levels between each leaf and the nearest element at or above it with each of `count` purposes, at most `limit`;
 * `none` where there is none less than `reach` levels away. `found` has a row of `leaves` numbers for each purpose. */
i64 distances(const i64 *parent, const i64 *level, const i64 *codes, const i64 *opens, i64 elements, i64 first_bit,
              i64 count, const i64 *leaf, i64 leaves, i64 reach, i64 limit, i64 none, float *found) {
    int16_t *nearest = malloc((size_t)(elements * count + 1) * sizeof *nearest);
    if (!nearest)
        return NO_MEMORY;
    for (i64 i = 0; i < elements; i++) {
        int16_t *own = nearest + i * count;
        if (parent[i] >= 0)
            memcpy(own, nearest + parent[i] * count, (size_t)count * sizeof *own);
        else
            memset(own, 0xff, (size_t)count * sizeof *own);
        u64 bits = ((u64)codes[opens[i]] >> first_bit) & (((u64)1 << count) - 1);
        for (; bits; bits &= bits - 1)
            own[__builtin_ctzll(bits)] = (int16_t)level[i];
    }
    for (i64 i = 0; i < leaves; i++) {
        const int16_t *own = nearest + leaf[i] * count;
        for (i64 purpose = 0; purpose < count; purpose++) {
            i64 distance = own[purpose] < 0 ? reach : level[leaf[i]] - own[purpose];
            found[purpose * leaves + i] = (float)(distance >= reach ? none : distance < limit ? distance : limit);
        }
    }
    free(nearest);
    return 0;
}

/* --- tokens to blocks of text */

/* Runs of text between two boundaries, those of noscript only where a page shows little else; how many there are.
 *
 * `bits` are the purposes of each element and all above it. Of each block its first and last token, its page, the
 * element around its first text and its characters inside links. Arrays hold as many as there are tokens. */
i64 find_blocks(const i64 *codes, const i64 *owner, const i64 *lengths, const i64 *bits, const i64 *page_tokens,
                i64 pages, i64 link, i64 noscript, double shell, i64 *first, i64 *last, i64 *page_of, i64 *leaf,
                i64 *linked) {
    i64 blocks = 0, token = 0;
    for (i64 page = 0; page < pages; page++) {
        i64 begin_of_page = blocks, whole = 0, shown = 0;
        i64 end = token + page_tokens[page];
        while (token < end) {
            i64 begin = token, length = 0, in_links = 0, first_text = -1;
            do {
                if (lengths[token]) {
                    if (first_text < 0)
                        first_text = token;
                    length += lengths[token];
                    if (owner[token] >= 0 && bits[owner[token]] & link)
                        in_links += lengths[token];
                }
                token++;
            } while (token < end && !(kind_of_tag[codes[token] & TAG_MASK] & BLOCK));
            if (!length || owner[first_text] < 0) /* behind the page's last end tag the parser writes nothing */
                continue;
            i64 within = bits[owner[first_text]];
            whole += length;
            shown += within & noscript ? 0 : length;
            first[blocks] = begin;
            last[blocks] = token - 1;
            page_of[blocks] = page;
            leaf[blocks] = owner[first_text];
            linked[blocks++] = in_links;
        }
        if (shown == whole || !((double)shown >= shell * (double)whole))
            continue;
        i64 kept = begin_of_page;
        for (i64 i = begin_of_page; i < blocks; i++) {
            if (bits[leaf[i]] & noscript)
                continue;
            first[kept] = first[i], last[kept] = last[i], page_of[kept] = page, leaf[kept] = leaf[i];
            linked[kept++] = linked[i];
        }
        blocks = kept;
    }
    return blocks;
}

enum { SOLID = 1, LETTER = 2, UPPER = 4, DIGIT = 8, ENDER = 16, COMMA = 32, UNSPACED = 64, FINAL = 128 };
enum { SOLIDS, WORDS, LETTERS, UPPERS, DIGITS, ENDERS, COMMAS, ENDED, SPACED, BREAKS_IN, COUNTERS };

static i64 decode(const u8 *p, const u8 *end, int *width) {
    u8 c = *p;
    i64 left = end - p;
    if (c < 0x80)
        return *width = 1, c;
    if (c >= 0xf0 && left >= 4)
        return *width = 4, (c & 7) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    if (c >= 0xe0 && c < 0xf0 && left >= 3)
        return *width = 3, (c & 15) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    if (c >= 0xc0 && c < 0xe0 && left >= 2)
        return *width = 2, (c & 31) << 6 | (p[1] & 0x3f);
    return *width = 1, 0xfffd;
}

/* Flags are counted by adding up words with a byte for each of the first six, which are emptied before one overflows. */
enum { LANES = 6 };
static const int of_lane[LANES] = {SOLIDS, LETTERS, UPPERS, DIGITS, ENDERS, COMMAS};

static void empty_lanes(u64 *sum, i64 *count) {
    for (int lane = 0; lane < LANES; lane++)
        count[of_lane[lane]] += *sum >> 8 * lane & 0xff;
    *sum = 0;
}

/* Texts of blocks in one line, entities resolved, and what they are made of by the flags of each code point.
 *
 * Writes the texts one after another, where each ends, in bytes, and a hash; `counts` has a row for each counter. `out` holds
 * as many bytes as `texts`. */
void write_texts(const u8 *texts, const i64 *text_begin, const i64 *first, const i64 *last, i64 blocks, const u8 *flags,
                 i64 points, u8 *out, i64 *ends, u64 *hashes, i64 *counts) {
    u64 lanes[256] = {0};
    for (int flag = 0; flag < 256; flag++)
        for (int lane = 0; lane < LANES; lane++)
            lanes[flag] |= (u64)(flag >> lane & 1) << 8 * lane;
    u8 *to = out;
    for (i64 i = 0; i < blocks; i++) {
        const u8 *p = texts + text_begin[first[i]], *end = texts + text_begin[last[i] + 1];
        const u8 *begin = to;
        i64 count[COUNTERS] = {0}, room = 255;
        u64 sum = 0;
        u8 before = 0;
        int gap = 0;
        while (p < end) {
            int width = *p > '@' && *p < 0x80 ? 0 : space_at(p, end);
            if (width) {
                gap = 1;
                count[BREAKS_IN] += *p == BREAK;
                p += width;
                continue;
            }
            if (gap && count[SPACED]) {
                *to++ = ' ';
                count[SPACED]++;
                before = 0;
            }
            gap = 0;
            i64 point;
            if (*p != '&' && *p < 0x80) {
                point = *to++ = *p++;
            } else if (*p == '&' && end - p >= 4 && (!memcmp(p, "&lt;", 4) || !memcmp(p, "&gt;", 4))) {
                point = *to++ = p[1] == 'l' ? '<' : '>';
                p += 4;
            } else if (*p == '&' && end - p >= 5 && !memcmp(p, "&amp;", 5)) {
                point = *to++ = '&';
                p += 5;
            } else {
                point = decode(p, end, &width);
                memcpy(to, p, (size_t)width);
                to += width, p += width;
            }
            u8 flag = flags[point < points ? point : points - 1];
            count[SPACED]++;
            count[WORDS] += (flag & SOLID && !(before & SOLID)) || flag & UNSPACED;
            sum += lanes[flag];
            before = flag;
            if (!--room) {
                empty_lanes(&sum, count);
                room = 255;
            }
        }
        empty_lanes(&sum, count);
        count[ENDED] = (before & FINAL) != 0;
        hashes[i] = hash_of(begin, to - begin);
        ends[i] = to - out;
        for (int counter = 0; counter < COUNTERS; counter++)
            counts[counter * blocks + i] = count[counter];
    }
}

/* --- the choice of blocks */

/* Means over the blocks of each page of the rows `asked` of a matrix, each by the weights of one kind; those of a page without
 * blocks stay. `weights` has a row of `blocks` numbers for each kind, `means` one of `pages` for each row that is asked. */
i64 page_means(const float *matrix, i64 blocks, const i64 *starts, i64 pages, const i64 *asked, const u8 *kinds,
               i64 count, const double *weights, float *means) {
    double *totals = calloc((size_t)(2 * pages + 1), sizeof *totals);
    if (!totals)
        return NO_MEMORY;
    for (i64 at = 0; at < 2 * pages; at++) {
        const double *weight = weights + at / pages * blocks;
        for (i64 i = starts[at % pages]; i < starts[at % pages + 1]; i++)
            totals[at] += weight[i];
        totals[at] = totals[at] > 1e-9 ? totals[at] : 1e-9;
    }
    for (i64 row = 0; row < count; row++) {
        const float *values = matrix + asked[row] * blocks;
        const double *weight = weights + kinds[row] * blocks, *total = totals + kinds[row] * pages;
        for (i64 page = 0; page < pages; page++) {
            double sum[4] = {0};
            for (i64 i = starts[page]; i < starts[page + 1]; i++)
                sum[(i - starts[page]) & 3] += (double)values[i] * weight[i];
            if (starts[page] < starts[page + 1])
                means[row * pages + page] = (float)((sum[0] + sum[1] + (sum[2] + sum[3])) / total[page]);
        }
    }
    free(totals);
    return 0;
}

#define MOST_EFFECTS 16

struct ranked {
    double odds;
    i64 place;
};

static int most_probable_first(const void *a, const void *b) {
    const struct ranked *one = a, *other = b;
    if (one->odds != other->odds)
        return one->odds > other->odds ? -1 : 1;
    return one->place < other->place ? -1 : 1;
}

/* Sets `kept` for the most probable blocks of each page, as many as make the expected F1 of words largest, each effect with its
 * weight; see `content.py`. */
i64 best_by_f1(const double *odds, const i64 *words, const i64 *starts, i64 pages, const double *shifts, double scale,
               const double *effects, const double *weights, i64 count, u8 *kept) {
    i64 most = 1;
    for (i64 page = 0; page < pages; page++)
        most = starts[page + 1] - starts[page] > most ? starts[page + 1] - starts[page] : most;
    struct ranked *order = malloc((size_t)most * sizeof *order);
    double *found = malloc((size_t)(most * count) * sizeof *found);
    for (i64 page = 0; order && found && page < pages; page++) {
        i64 begin = starts[page], blocks = starts[page + 1] - begin, best = 0;
        for (i64 i = 0; i < blocks; i++)
            order[i] = (struct ranked){odds[begin + i], begin + i};
        qsort(order, (size_t)blocks, sizeof *order, most_probable_first);
        double total[MOST_EFFECTS] = {0}, taken = 0, most_expected = -1;
        for (i64 i = 0; i < blocks; i++)
            for (i64 effect = 0; effect < count; effect++) {
                double shifted = (order[i].odds + shifts[page]) * scale + effects[effect];
                total[effect] += (double)words[order[i].place] / (1 + exp(-shifted));
                found[i * count + effect] = total[effect];
            }
        for (i64 i = 0; i < blocks; i++) {
            double expected = 0;
            taken += (double)words[order[i].place];
            for (i64 effect = 0; effect < count; effect++) {
                double whole = taken + total[effect];
                expected += weights[effect] * found[i * count + effect] / (whole > 1e-9 ? whole : 1e-9);
            }
            if (expected > most_expected)
                most_expected = expected, best = i;
        }
        for (i64 i = 0; blocks && i <= best; i++)
            kept[order[i].place] = 1;
    }
    int failed = !order || !found;
    free(order), free(found);
    return failed ? NO_MEMORY : 0;
}

/* --- oblivious trees */

#define ROWS 128
#define TREES 4

/* Adds to `total`, of shape (rows, outputs), the leaves of each tree in their order; see `Trees.evaluate`. Some trees at once,
 * since each addition to a sum waits for the one before. */
void evaluate(const float *matrix, i64 rows, const int16_t *asked, const float *borders, const float *leaves,
              i64 trees, i64 depth, i64 outputs, double *total) {
    for (i64 begin = 0; begin < rows; begin += ROWS) {
        i64 some = rows - begin < ROWS ? rows - begin : ROWS;
        for (i64 first = 0; first < trees; first += TREES) {
            i64 these = trees - first < TREES ? trees - first : TREES, size = outputs << depth;
            u8 place[TREES][ROWS] = {{0}};
            for (i64 question = 0; question < these * depth; question++) {
                u8 *places = place[question / depth], bit = (u8)(1 << question % depth);
                const float *values = matrix + asked[first * depth + question] * rows + begin;
                float border = borders[first * depth + question];
                for (i64 i = 0; i < some; i++)
                    places[i] |= values[i] > border ? bit : 0;
            }
            const float *table = leaves + first * size;
            double *sums = total + begin * outputs;
            if (these == TREES && outputs == 1) {
                for (i64 i = 0; i < some; i++) {
                    double sum = sums[i];
                    for (i64 tree = 0; tree < TREES; tree++)
                        sum += (double)table[tree * size + place[tree][i]];
                    sums[i] = sum;
                }
                continue;
            }
            for (i64 tree = 0; tree < these; tree++)
                for (i64 i = 0; i < some; i++)
                    for (i64 output = 0; output < outputs; output++)
                        sums[i * outputs + output] += (double)table[tree * size + place[tree][i] * outputs + output];
        }
    }
}
