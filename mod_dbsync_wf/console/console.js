// SPDX-License-Identifier: Apache-2.0
// The console: shows what can be run through the API, runs it, and lets it be edited and removed.
//
// One file, without a build step and without dependencies: it is served as it is written. Each view is
// a function that gives an element and is told by an AbortSignal when it is left; streams, timers and
// requests all end by that signal. Three rules hold throughout:
//
//  - Whatever comes from the server is put in as text, never as markup: the page's policy (Trusted
//    Types without any policy) lets nothing else work.
//  - JSON that people wrote, a body or a result, is shown and sent digit for digit: it is cut out
//    of the text that came, and never goes through a JavaScript number.
//  - Every address is relative to the page's own, so that it works under any base and proxy.

// ---- elements ----

// Puts properties and attributes on an element, and children into it. `on` has listeners; false and
// null leave an attribute out. A child that is no node becomes text.
function fill(element, properties, children) {
    for (const [name, value] of Object.entries(properties ?? {})) {
        if (name === 'on') {
            Object.entries(value).forEach(([type, listener]) => element.addEventListener(type, listener));
        } else if (['value', 'checked', 'disabled', 'indeterminate'].includes(name)) {
            element[name] = value;
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(name, value === true ? '' : String(value));
        }
    }
    element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined
        && child !== false));
    return element;
}

function h(tag, properties, ...children) {
    return fill(document.createElement(tag), properties, children);
}

function svg(tag, properties, ...children) {
    return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), properties, children);
}

// A text of the server's: its direction is its own, so that it cannot turn what stands around it.
function said(text) {
    return h('bdi', {dir: 'auto'}, String(text));
}

function button(label, act, properties) {
    return h('button', {type: 'button', ...properties, on: {click: act}}, label);
}

// Marks a button as one that does nothing at the moment, or no longer so; gives whether that is new. It
// is not disabled: that would take the focus from whoever has just pressed it.
function setBusy(element, busy = true) {
    const was = element.getAttribute('aria-disabled') === 'true';
    element.setAttribute('aria-disabled', String(busy));
    return was !== busy;
}

function link(label, hash, properties) {
    return h('a', {href: hash, ...properties}, label);
}

function badge(state) {
    return h('span', {class: `badge ${state}`}, state);
}

let ids = 0;

function freshId(of) {
    ids += 1;
    return `${of}-${ids}`;
}

// Says something to those who listen rather than look.
function announce(text) {
    document.getElementById('said').textContent = text;
}

// ---- texts ----

const count = new Intl.NumberFormat();

function plural(number, one, many) {
    return `${count.format(number)} ${number === 1 ? one : many}`;
}

function bytes(length) {
    if (length < 1000) {
        return plural(length, 'byte', 'bytes');
    }
    return length < 1e6 ? `${(length / 1e3).toFixed(1)} kB` : `${(length / 1e6).toFixed(1)} MB`;
}

const CLOCK = {year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit',
    second: '2-digit', timeZoneName: 'short'};
const clock = new Intl.DateTimeFormat(undefined, CLOCK);
const exactClock = new Intl.DateTimeFormat(undefined, {...CLOCK, fractionalSecondDigits: 3});
const relative = new Intl.RelativeTimeFormat('en', {numeric: 'auto'});

// "3 minutes ago".
function ago(when) {
    let value = (when - Date.now()) / 1000;
    for (const [unit, size] of [['second', 60], ['minute', 60], ['hour', 24], ['day', 365]]) {
        if (Math.abs(value) < size) {
            return relative.format(Math.round(value), unit);
        }
        value /= size;
    }
    return relative.format(Math.round(value), 'year');
}

// A moment in local time; how long ago it is, and in UTC, is in its title.
function moment(text, {exact} = {}) {
    const when = new Date(text);
    if (Number.isNaN(when.getTime())) {
        return said(text);
    }
    const element = h('time', {datetime: text}, (exact ? exactClock : clock).format(when));
    element.addEventListener('pointerenter', () => { element.title = `${ago(when)} (${text})`; });
    element.title = text;
    return element;
}

function duration(milliseconds) {
    if (!(milliseconds >= 0)) {
        return '';
    }
    if (milliseconds < 1000) {
        return `${Math.round(milliseconds)} ms`;
    }
    const seconds = milliseconds / 1000;
    if (seconds < 60) {
        return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
    }
    const minutes = Math.floor(seconds / 60);
    const parts = minutes < 60 ? [[minutes, 'min'], [Math.floor(seconds % 60), 's']]
        : [[Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']];
    return parts.filter(([number]) => number > 0).map(part => part.join(' ')).join(' ');
}

function between(from, to) {
    return from && to ? duration(new Date(to) - new Date(from)) : '';
}

// Without what would turn or end a line: for titles, which cannot isolate.
function tame(text) {
    return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ');
}

// One argument for a shell, whatever is in it.
function quote(text) {
    return /^[A-Za-z0-9_./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

// ---- JSON as it was written ----

class JsonError extends Error {
    constructor(message, at) {
        super(message);
        this.at = at;
    }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

function matched(pattern, text, at) {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0].length ?? 0;
}

// Behind the string that begins here. By hand: a pattern would need a megabyte of stack for a
// megabyte of text.
function stringEnd(text, from) {
    for (let at = from + 1; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (code === 0x22) {
            return at + 1;
        }
        if (code < 0x20) {
            throw new JsonError(code === 0x0a ? 'the text in quotes does not end on this line'
                : 'a control character must be written as \\u00…', at);
        }
        if (code === 0x5c) {
            at += 1;
            if (text[at] === 'u' && !/^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) {
                throw new JsonError('\\u needs four hexadecimal digits', at);
            }
            if (at < text.length && !'"\\/bfnrtu'.includes(text[at])) {
                throw new JsonError('there is no such escape: a backslash is written \\\\', at);
            }
        }
    }
    throw new JsonError('the text in quotes does not end', from);
}

// Behind the string, number or word that begins here.
function scalarEnd(text, at) {
    if (text[at] === '"') {
        return stringEnd(text, at);
    }
    const end = at + (matched(NUMBER, text, at) || matched(WORD, text, at));
    if (end === at) {
        throw new JsonError(text[at] === "'" ? 'a text is written in double quotes' : 'a value is expected', at);
    }
    if (/[\w.+-]/.test(text[end] ?? '')) {
        throw new JsonError('this is neither a number nor true, false or null', at);
    }
    return end;
}

const EXPECTED = {
    key: 'a name in double quotes is expected', keyOrEnd: 'a name in double quotes, or }, is expected',
    colon: 'a colon is expected', value: 'a value is expected', valueOrEnd: 'a value, or ], is expected',
};

// Walks through a JSON text and calls visit(kind, start, end, depth) for each token: one of {}[]:,
// or "k", a name, or "v", a string, number or word. What closes is as deep as what it closes.
// Throws a JsonError where the text is none.
function scanJson(text, visit) {
    const open = [];
    let expect = 'value';
    let at = matched(SPACE, text, 0);
    while (at < text.length) {
        const c = text[at];
        const inside = open[open.length - 1];
        let kind = c;
        let end = at + 1;
        if ((c === '}' && inside === '{' && ['after', 'keyOrEnd'].includes(expect))
            || (c === ']' && inside === '[' && ['after', 'valueOrEnd'].includes(expect))) {
            visit(kind, at, end, open.length);
            open.pop();
            expect = 'after';
        } else {
            if (expect === 'after') {
                if (!inside) {
                    throw new JsonError('nothing may follow the value', at);
                }
                if (c !== ',') {
                    throw new JsonError(`a comma, or ${inside === '{' ? '}' : ']'}, is expected`, at);
                }
                expect = inside === '{' ? 'key' : 'value';
            } else if (expect === 'colon' ? c !== ':' : expect.startsWith('key') && c !== '"') {
                throw new JsonError(EXPECTED[expect], at);
            } else if (expect === 'colon') {
                expect = 'value';
            } else if (expect.startsWith('key')) {
                [kind, end, expect] = ['k', stringEnd(text, at), 'colon'];
            } else if (c === '{' || c === '[') {
                open.push(c);
                expect = c === '{' ? 'keyOrEnd' : 'valueOrEnd';
            } else if (':,}]'.includes(c)) {
                throw new JsonError(EXPECTED[expect], at);
            } else {
                [kind, end, expect] = ['v', scalarEnd(text, at), 'after'];
            }
            visit(kind, at, end, open.length);
        }
        at = end + matched(SPACE, text, end);
    }
    if (expect !== 'after' || open.length > 0) {
        throw new JsonError(text.trim() === '' ? 'a value is expected' : 'the text ends too early', text.length);
    }
}

// Why a text is no JSON value, as {message, line, column}; null where it is one. For the tests it is
// exported.
export function jsonMistake(text) {
    try {
        scanJson(text, () => {});
        return null;
    } catch (error) {
        if (!(error instanceof JsonError)) {
            throw error;
        }
        const before = text.slice(0, error.at);
        return {message: error.message, line: before.split('\n').length,
            column: error.at - before.lastIndexOf('\n')};
    }
}

// The texts of what is directly inside of an object or an array: a Map by name, or a list.
function jsonParts(text) {
    const parts = text.trimStart().startsWith('{') ? new Map() : [];
    let name = 0;
    let from = 0;
    scanJson(text, (kind, start, end, depth) => {
        if (depth !== 1) {
            return;
        }
        if (kind === 'k') {
            name = JSON.parse(text.slice(start, end));
        } else if (kind === ':' || kind === '[' || kind === '{') {
            from = end;
        } else if (kind === ',' || kind === '}' || kind === ']') {
            const part = text.slice(from, start).trim();
            if (part !== '' && parts instanceof Map) {
                parts.set(name, part);
            } else if (part !== '') {
                parts.push(part);
            }
            from = end;
        }
    });
    return parts;
}

// The same value on lines of its own, two spaces deeper each level.
function formatJson(text) {
    const out = [];
    let fresh = false; // whether something has just been opened
    scanJson(text, (kind, start, end, depth) => {
        const token = text.slice(start, end);
        const closes = kind === '}' || kind === ']';
        if (closes ? !fresh : fresh) {
            out.push('\n', '  '.repeat(depth - (closes || kind === '{' || kind === '[' ? 1 : 0)));
        }
        fresh = kind === '{' || kind === '[';
        out.push(kind === ':' ? ': ' : token);
        if (kind === ',') {
            out.push('\n', '  '.repeat(depth));
        }
    });
    return out.join('');
}

// The same value on one line that can be pasted anywhere: no character in it that a terminal, or a
// reader's eye, would take for something else.
function packJson(text) {
    const out = [];
    scanJson(text, (kind, start, end) => {
        out.push(text.slice(start, end), kind === ':' || kind === ',' ? ' ' : '');
    });
    return out.join('').replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
        c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// What a value is shown as: formatted, or as it is where it is no JSON after all.
function prettyJson(text) {
    try {
        return formatJson(text);
    } catch (error) {
        if (error instanceof JsonError) {
            return text;
        }
        throw error;
    }
}

// ---- the API ----

// Not new URL('..', location.href): a name and password in that would be in each address then, and
// fetch refuses those.
const base = new URL('../', location.origin + location.pathname);

function address(path) {
    return new URL(path, base).href;
}

function taskPath(project, task) {
    return `projects/${encodeURIComponent(project)}/tasks/${encodeURIComponent(task)}`;
}

function configurationPath(project, task) {
    return `configurations/${encodeURIComponent(project)}/${encodeURIComponent(task)}`;
}

// An answer that is an error: RFC 9457's members in `problem`.
class Problem extends Error {
    constructor(status, text) {
        let problem = {};
        try {
            problem = JSON.parse(text);
        } catch {
            problem = {title: `The server answered ${status}`};
        }
        super(problem.title ?? `The server answered ${status}`);
        this.status = status;
        this.problem = problem;
        this.slug = String(problem.type ?? '').replace('urn:dbsync-wf:problem:', '');
    }
}

// No answer came.
class Unreachable extends Error {
    constructor() {
        super('The server does not answer');
    }
}

const banner = {
    element: () => document.getElementById('banner'),
    show(...content) {
        const element = banner.element();
        if (element.textContent !== content.map(part => part.textContent ?? part).join('')) {
            element.replaceChildren(...content);
        }
        element.hidden = false;
    },
    hide() {
        banner.element().hidden = true;
        banner.element().replaceChildren();
    },
};

function lockedOut() {
    banner.show('Your name and password are not accepted any more. ',
        button('Sign in again', () => location.reload(), {class: 'tiny'}));
}

// Waits so many milliseconds; rejects as soon as the signal is aborted.
function pause(milliseconds, signal) {
    return new Promise((resolve, reject) => {
        const leave = () => { clearTimeout(timer); reject(signal.reason); };
        const timer = setTimeout(() => { signal?.removeEventListener('abort', leave); resolve(); },
            milliseconds);
        signal?.addEventListener('abort', leave, {once: true});
    });
}

// fetch, which tells a network that fails from everything else, and says so on the page.
async function reach(path, options) {
    let answer;
    try {
        answer = await fetch(address(path), {credentials: 'same-origin', ...options});
    } catch (error) {
        if (options.signal?.aborted) {
            throw error;
        }
        throw new Unreachable();
    }
    if (answer.status === 401) {
        lockedOut();
    } else {
        banner.hide();
    }
    return answer;
}

// One request: {text, data, etag}, or a Problem. `body` is a JSON text.
async function ask(method, path, {body, headers, signal} = {}) {
    const all = {Accept: 'application/json', ...headers};
    if (method !== 'GET') {
        all['X-Requested-With'] = 'dbsync-wf-console';
    }
    if (body !== undefined) {
        all['Content-Type'] = 'application/json';
    }
    const answer = await reach(path, {method, body, headers: all, signal});
    const text = await answer.text();
    if (!answer.ok) {
        throw new Problem(answer.status, text);
    }
    return {text, data: text === '' ? null : JSON.parse(text), etag: ownTag(answer.headers.get('ETag'))};
}

// The server's own entity tag: mod_deflate adds to it what If-Match would not find again.
function ownTag(tag) {
    return tag?.replace(/^W\//, '').replace(/-gzip"$/, '"');
}

// The same request again and again while no answer comes, or the server says that it is busy; for what
// may be repeated. `tries` bounds it.
async function insist(method, path, options, tries = Infinity) {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await ask(method, path, options);
        } catch (error) {
            const passes = error instanceof Unreachable || error.status === 503;
            if (!passes || attempt >= tries) {
                throw error;
            }
            banner.show(`${error.message}. Trying again…`);
            await pause(Math.min(500 * 2 ** attempt, 8000), options.signal);
        }
    }
}

function read(path, signal) {
    return insist('GET', path, {signal});
}

// All pages of a list: the texts of its elements.
async function readAll(path, member, signal) {
    const all = [];
    let cursor = null;
    do {
        const mark = path.includes('?') ? '&' : '?';
        const more = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const {text, data} = await read(`${path}${mark}limit=500${more}`, signal);
        all.push(...jsonParts(jsonParts(text).get(member)));
        cursor = data.next ?? null;
    } while (cursor !== null);
    return all;
}

// ---- tasks and their API configurations ----

// A task as the views need it: the members of its configuration, and in `raw` their texts.
function taskOf(text) {
    return {...JSON.parse(text), raw: jsonParts(text)};
}

// Where nobody tells of configurations, perhaps because this user may not see them, tasks are shown
// without: they can be tested all the same.
function taskWithout(project, item) {
    return {projectId: project.projectId, projectName: project.name, taskId: item.taskId, taskName: item.name,
        source: 'project', enabled: true, editable: false, raw: new Map()};
}

function isRefused(error) {
    return error instanceof Problem && [403, 404, 405].includes(error.status);
}

async function readProjects(signal) {
    return (await readAll('projects', 'projects', signal)).map(text => JSON.parse(text));
}

async function readTasks(projects, signal) {
    projects.catch(() => null); // its failure is told of where it is waited for
    try {
        return (await readAll('configurations', 'configurations', signal)).map(taskOf);
    } catch (error) {
        if (!isRefused(error)) {
            throw error;
        }
    }
    const all = await Promise.all((await projects).map(async project => {
        const {data} = await read(`projects/${encodeURIComponent(project.projectId)}`, signal);
        return data.tasks.map(item => taskWithout(project, item));
    }));
    return all.flat();
}

// One task with its configuration, `etag` included. A removed one comes from the list, which has what
// it was.
async function readTask(project, task, signal) {
    try {
        const {text, etag} = await read(configurationPath(project, task), signal);
        return {...taskOf(text), etag};
    } catch (error) {
        if (!isRefused(error)) {
            throw error;
        }
        if (error.slug === 'removed') {
            const list = await readAll(`configurations?project=${encodeURIComponent(project)}`,
                'configurations', signal);
            const found = list.map(taskOf).find(item => item.taskId === task);
            if (found) {
                return found;
            }
        }
    }
    const {text, data} = await read(taskPath(project, task), signal);
    return {...taskWithout(data.project, data), raw: jsonParts(text)};
}

// The members that a PUT takes, as texts.
const WRITABLE = ['enabled', 'description', 'example', 'schema', 'rateLimit', 'callback'];

function writeObject(members) {
    return `{${[...members].map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(', ')}}`;
}

function configurationText(task) {
    return writeObject([...task.raw].filter(([name]) => WRITABLE.includes(name)));
}

// The beginning of a text that should have been short.
function brief(text, most) {
    return text.length > most ? `${text.slice(0, most)}…` : text;
}

function titleOf(task) {
    return brief(task.taskName || `Task ${task.taskId}`, 200);
}

function projectTitle(project) {
    return brief(project.projectName || project.name || `Project ${project.projectId}`, 200);
}

function runAddress(task) {
    return address(`${taskPath(task.projectId, task.taskId)}/run?trigger=API`);
}

function stateOf(task) {
    if (task.source === 'removed') {
        return 'removed';
    }
    return task.enabled === false ? 'disabled' : 'enabled';
}

// ---- parts of views ----

// As https pages may; elsewhere by a selection, as pages did before.
async function copy(text, label) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        const area = h('textarea', {value: text, class: 'unseen', 'aria-hidden': 'true'});
        const before = document.activeElement;
        document.body.append(area);
        area.select();
        document.execCommand('copy');
        area.remove();
        before?.focus();
    }
    announce(`${label} copied`);
}

function copyButton(text, label) {
    const element = button('Copy', async () => {
        await copy(text, label);
        element.textContent = 'Copied';
        setTimeout(() => { element.textContent = 'Copy'; }, 1500);
    }, {class: 'tiny', 'aria-label': `Copy ${label}`});
    return element;
}

function copyable(text, label, {method, lines} = {}) {
    return h('div', {class: lines ? 'copyable lines' : 'copyable'},
        h('code', {tabindex: lines ? 0 : false, role: lines ? 'group' : false, 'aria-label': lines ? label : false},
            method ? h('span', {class: 'method'}, method) : null, said(text)),
        copyButton(text, label));
}

const SHOWN = 20000; // characters of a long text that are shown at first

// A text of any length in a box that scrolls; a long one is cut until all is asked for.
function box(text, label) {
    const element = h('pre', {class: 'box', tabindex: 0, role: 'group', 'aria-label': label, dir: 'auto'});
    if (text.length <= SHOWN) {
        element.append(text);
        return element;
    }
    element.append(`${text.slice(0, SHOWN)}…`);
    const more = h('p', {class: 'box-more row'},
        button(`Show all (${bytes(text.length)})`, () => {
            element.replaceChildren(text);
            element.focus();
            more.remove();
        }, {class: 'tiny'}), copyButton(text, label));
    return h('div', null, element, more);
}

function notice(title, detail) {
    return h('div', {class: 'notice bad', role: 'alert'}, h('strong', null, said(title)),
        detail ? said(detail) : null);
}

function noticeOf(error) {
    if (error instanceof Problem) {
        return notice(error.message, error.problem.detail);
    }
    return error instanceof Unreachable ? notice(error.message, 'Check the network, and try again.')
        : notice('The console has failed', error.message);
}

// The heading of a view, which gets the focus when the view is shown.
function heading(text, ...more) {
    return h('div', {class: 'head'}, h('h1', {tabindex: -1}, text), more);
}

// A line at the bottom that stays until it is dismissed, or what it offers is done.
function toast(text, label, act) {
    const dismiss = () => element.remove();
    const element = h('div', {class: 'toast'}, h('span', {class: 'grow'}, text),
        label ? button(label, () => { dismiss(); act(); }, {class: 'tiny'}) : null,
        button('Dismiss', dismiss, {class: 'tiny plain'}));
    document.getElementById('toasts').replaceChildren(element);
    announce(element.firstChild.textContent);
    return element;
}

// Asks before something is done; gives whether it is to be done.
function confirmed(title, text, label) {
    return new Promise(resolve => {
        const id = freshId('dialog');
        const dialog = h('dialog', {'aria-labelledby': id, 'aria-describedby': `${id}-text`},
            h('h2', {id}, title), h('p', {id: `${id}-text`}, text),
            h('div', {class: 'row'}, button('Cancel', () => dialog.close()),
                button(label, () => dialog.close('yes'), {class: 'primary'})));
        dialog.addEventListener('close', () => {
            dialog.remove();
            resolve(dialog.returnValue === 'yes');
        });
        document.body.append(dialog);
        dialog.showModal();
    });
}

// ---- an editor for JSON ----

// A label, a text area, what is wrong with what is in it, and {text(), set(), isValid()}. Empty is
// right only where it is `optional`.
function jsonEditor(label, {id, text, hint, optional, rows, changed}) {
    const area = h('textarea', {id, class: 'code', rows: rows ?? 8, spellcheck: 'false', autocomplete: 'off',
        autocapitalize: 'off', dir: 'ltr', 'aria-describedby': `${id}-says ${id}-hint`, value: text});
    const says = h('p', {id: `${id}-says`, class: 'hint'});
    let timer = 0;
    const check = () => {
        clearTimeout(timer);
        const isEmpty = optional && area.value.trim() === '';
        const mistake = isEmpty ? null : jsonMistake(area.value);
        area.setAttribute('aria-invalid', String(mistake !== null));
        says.className = mistake ? 'wrong' : 'hint';
        says.textContent = mistake ? `Line ${mistake.line}, column ${mistake.column}: ${mistake.message}.`
            : isEmpty ? 'None.' : `Valid JSON, ${bytes(new Blob([area.value]).size)}.`;
        return mistake === null;
    };
    area.addEventListener('input', () => {
        // What is long is looked at when one stops typing.
        clearTimeout(timer);
        timer = setTimeout(check, area.value.length > 50000 ? 300 : 0);
        changed?.();
    });
    const set = value => {
        area.value = value;
        area.dispatchEvent(new Event('input', {bubbles: true}));
        check();
    };
    const format = button('Format', () => {
        if (check() && area.value.trim() !== '') {
            set(formatJson(area.value));
        } else {
            area.focus();
        }
    }, {class: 'tiny', 'aria-label': `Format ${label}`});
    const element = h('div', {class: 'field'},
        h('div', {class: 'row'}, h('label', {for: id, class: 'grow'}, label), format), area, says,
        h('p', {id: `${id}-hint`, class: 'hint'}, hint));
    check();
    return {element, area, says, set, isValid: check, text: () => area.value.trim()};
}

// ---- following a run ----

// Keeps something open while the page can be seen: a tab in the background holds no thread of the
// server's, and none of the few connections that a browser has. `open` gives what closes it.
function whileVisible(signal, open) {
    let close = null;
    const look = () => {
        const wanted = !document.hidden && !signal.aborted;
        if (wanted && !close) {
            close = open();
        } else if (!wanted && close) {
            close();
            close = null;
        }
    };
    document.addEventListener('visibilitychange', look, {signal});
    signal.addEventListener('abort', look, {once: true});
    look();
}

// Server-sent events for as long as the signal lets. Where they cannot be had, poll() is called at
// once and then every so many milliseconds, as long as it does not give false.
function stream(path, signal, events, poll, every) {
    whileVisible(signal, () => {
        const source = new EventSource(address(path));
        const done = new AbortController();
        let losses = 0; // since it was connected
        const polling = async () => {
            while (await poll() !== false) {
                await pause(every, done.signal);
            }
        };
        for (const [name, take] of Object.entries(events)) {
            source.addEventListener(name, event => { banner.hide(); take(event.data); });
        }
        source.addEventListener('error', () => {
            // Otherwise the browser connects again by itself.
            if (source.readyState === EventSource.CLOSED) {
                polling().catch(error => done.signal.aborted || Promise.reject(error));
                return;
            }
            losses += 1;
            if (losses > 1) { // the first one is how a server ends a stream that lasts long
                banner.show('The connection was lost. Trying again…');
            }
        });
        source.addEventListener('open', () => {
            losses = 0;
            banner.hide();
        });
        return () => { source.close(); done.abort(); };
    });
}

function isFinal(run) {
    return ['completed', 'error', 'interrupted'].includes(run.status);
}

// Whether nothing more is to come: it has ended, and whoever wanted to know has been told, or not.
function isSettled(run) {
    return isFinal(run) && !['wanted', 'pending'].includes(run.callback?.status);
}

// Calls tell(run, text) for each state of a run, up to its end; fail(error) where it cannot be had.
function followRun(pid, signal, tell, fail) {
    const end = new AbortController();
    signal.addEventListener('abort', () => end.abort(), {once: true});
    const take = text => {
        const run = JSON.parse(text);
        tell(run, text);
        if (isSettled(run)) {
            end.abort();
        }
        return !isSettled(run);
    };
    const poll = async () => {
        try {
            return take((await read(`status/${pid}`, end.signal)).text);
        } catch (error) {
            if (!end.signal.aborted) {
                fail(error);
            }
            return false;
        }
    };
    // The stream ends with the run (204, when the browser asks again); what becomes of its callback after
    // that is asked for.
    stream(`status/${pid}/events`, end.signal, {status: take}, poll, 2000);
}

// Reads one answer of a log to its end; gives how many bytes came.
async function readLog(path, signal, add) {
    const answer = await reach(path, {signal});
    if (!answer.ok) {
        throw new Problem(answer.status, await answer.text());
    }
    const reader = answer.body.getReader();
    let length = 0;
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        length += piece.value.length;
        add(piece.value);
    }
    return length;
}

// What a run puts out, as it comes, to its end: add(text), and then end(). hasEnded() says whether the
// run has; only what is asked for after that is sure to be the rest.
function followLog(pid, signal, hasEnded, {add, end}) {
    const decoder = new TextDecoder();
    let offset = 0;
    const take = piece => {
        offset += piece.length;
        add(decoder.decode(piece, {stream: true}));
    };
    const follow = async stop => {
        for (let isLast = false; !isLast;) {
            const began = performance.now();
            isLast = hasEnded();
            try {
                await readLog(`logs/${pid}?follow=1&offset=${offset}`, stop, take);
            } catch (error) {
                if (stop.aborted || (error instanceof Problem && error.status !== 503)) {
                    return;
                }
                isLast = false;
                banner.show('The connection was lost. Trying again…');
                await pause(1000, stop);
            }
            // A server that has no thread to spare ends each answer at once.
            await pause(isLast ? 0 : performance.now() - began < 1000 && !hasEnded() ? 2000 : 200, stop);
        }
        end();
    };
    whileVisible(signal, () => {
        const stop = new AbortController();
        follow(stop.signal).catch(error => stop.signal.aborted || Promise.reject(error));
        return () => stop.abort();
    });
}

// ---- a run, shown ----

const OUTPUT = 200000; // characters of a run's output that are kept on the page: the last ones

const OUTPUT_PAUSE = 100; // milliseconds from one time that output is shown to the next

// The box of a run's output; it scrolls along with its end unless one has scrolled up.
function outputBox(pid, label) {
    const element = h('pre', {class: 'box', tabindex: 0, role: 'group', 'aria-label': label, dir: 'auto'},
        h('span', {class: 'soft'}, 'Nothing yet.'));
    const cut = h('p', {class: 'hint', hidden: true}, 'This is its end. ',
        link('The whole log', address(`logs/${pid}`), {target: '_blank', rel: 'noopener'}));
    let kept = '';
    let waits = false;
    const show = () => {
        waits = false;
        const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 30;
        element.replaceChildren(kept);
        if (atEnd) {
            element.scrollTop = element.scrollHeight;
        }
    };
    return {element: h('div', null, element, cut), add(text) {
        kept += text;
        if (kept.length > OUTPUT) {
            kept = kept.slice(-OUTPUT);
            cut.hidden = false;
        }
        if (!waits && kept !== '') {
            waits = true;
            setTimeout(show, OUTPUT_PAUSE);
        }
    }, end() {
        if (kept === '') {
            element.replaceChildren(h('span', {class: 'soft'}, 'Nothing was put out.'));
        }
    }};
}

function progressOf(run) {
    const {done = 0, total = 0, action} = run.progress ?? {};
    const bar = total > 0 ? h('progress', {max: total, value: done, 'aria-label': 'Progress'})
        : h('progress', {'aria-label': 'Progress'});
    const text = [action ? said(action) : null, total > 0 ? `${count.format(done)} of ${count.format(total)}`
        : done > 0 ? count.format(done) : null].filter(part => part !== null);
    return [bar, h('p', {class: 'hint row'}, text.flatMap((part, i) => i === 0 ? [part] : [' · ', part]))];
}

function fact(name, ...value) {
    return [h('dt', null, name), h('dd', null, value)];
}

function factsOf(run) {
    const {records} = run;
    return h('dl', {class: 'facts'},
        run.user ? fact('User', said(run.user)) : null,
        run.trigger ? fact('Trigger', said(run.trigger)) : null,
        fact('Submitted', moment(run.submitTime)),
        run.startTime ? fact('Waited', between(run.submitTime, run.startTime)) : null,
        run.startTime ? fact(run.completionTime ? 'Took' : 'Goes on for',
            between(run.startTime, run.completionTime ?? Date.now())) : null,
        records ? fact('Records', `${count.format(records.read)} read, ${count.format(records.written)} written, `
            + `${count.format(records.failed)} failed`) : null);
}

function callbackOf(callback) {
    return h('section', {class: 'stack'}, h('h2', null, 'Callback'), h('dl', {class: 'facts'},
        fact('Delivery', said(callback.status)),
        callback.attempts === undefined ? null : fact('Attempts', count.format(callback.attempts)),
        callback.lastAttemptTime ? fact('Last attempt', moment(callback.lastAttemptTime)) : null,
        callback.nextAttemptTime ? fact('Next attempt', moment(callback.nextAttemptTime)) : null,
        callback.httpStatus ? fact('Answer', String(callback.httpStatus)) : null,
        callback.reason ? fact('Reason', said(callback.reason)) : null));
}

// Gives whether that was done.
async function interrupt(pid, signal) {
    try {
        await insist('POST', `interrupt/${pid}`, {signal}, 4);
        announce('The run is being interrupted');
        return true;
    } catch (error) {
        if (!signal.aborted) {
            toast(['The run was not interrupted: ', said(error.problem?.detail ?? error.message)]);
        }
        return false;
    }
}

// A run's result, once: it never changes, and its box may have been scrolled.
function showResult(place, run, text) {
    const raw = isFinal(run) && !place.firstChild ? jsonParts(text).get('result') : undefined;
    if (raw === undefined) {
        return;
    }
    // A text is more readable as what it says than as JSON.
    const shown = typeof run.result === 'string' ? run.result : prettyJson(raw);
    place.replaceChildren(h('h3', null, 'Result'), box(shown, 'Result'),
        run.resultCut ? h('p', {class: 'hint'}, 'The result was longer; this is what was kept.') : '');
}

// A run that goes on: status, progress, result, output; and `extra`, an element of the view's. tell(run) is
// called with each state up to its end, and with what becomes of its callback after that.
function runPanel(pid, signal, {title, extra, tell}) {
    const head = h('h2', {tabindex: -1}, title);
    const state = h('span', null);
    const stop = button('Interrupt', () => {
        if (setBusy(stop)) {
            interrupt(pid, signal).then(done => done || setBusy(stop, false));
        }
    }, {class: 'tiny danger', hidden: true});
    const progress = h('div', null);
    const facts = h('div', null);
    const trouble = h('div', null);
    const result = h('div', {class: 'part'});
    const output = outputBox(pid, 'Output');
    let last = null;
    const show = (run, text) => {
        if (last?.status !== run.status) {
            state.replaceChildren(badge(run.status));
            announce(`The run ${run.status === 'error' ? 'has ended with an error' : `is ${run.status}`}`);
        }
        tell?.(run, last !== null && isFinal(last));
        last = run;
        if (isFinal(run) && document.activeElement === stop) {
            head.focus();
        }
        stop.hidden = isFinal(run);
        if (run.interruptTime) {
            setBusy(stop);
        }
        progress.replaceChildren(...isFinal(run) ? [] : progressOf(run));
        facts.replaceChildren(factsOf(run));
        trouble.replaceChildren(run.error ? notice(run.error.title ?? run.error.type, run.error.detail) : '');
        showResult(result, run, text);
    };
    const timer = setInterval(() => {
        if (last && !isFinal(last)) {
            facts.replaceChildren(factsOf(last));
        }
    }, 1000);
    signal.addEventListener('abort', () => clearInterval(timer), {once: true});
    followRun(pid, signal, show, error => trouble.replaceChildren(noticeOf(error)));
    followLog(pid, signal, () => last !== null && isFinal(last), output);
    const outputs = h('section', {class: 'part'}, h('h3', null, 'Output'), output.element);
    return h('div', {class: 'inner stack'}, h('div', {class: 'run-head'}, head, state, h('span', {class: 'grow'}),
        stop), progress, trouble, facts, result, outputs, extra);
}

// ---- the view of what can be run ----

let user = ''; // who this is, once a run has said so

const PID_OF = `sed 's/.*"pid":"\\([^"]*\\)".*/\\1/'`;
const BODY = 20000; // characters of a body that a command line takes; more are read from a file

// Three lines for a shell that can be pasted in this order: [what it does, line].
function curlLines(task) {
    const curl = `curl -sS -u ${user ? quote(tame(user)) : 'USER'}`;
    const example = packJson(task.raw.get('example') ?? '{}');
    const body = example.length > BODY ? '@body.json' : quote(example);
    return [
        ['Run it, and keep the run’s id', `pid=$(${curl} -H 'Content-Type: application/json' `
            + `--data-binary ${body} ${quote(runAddress(task))} | ${PID_OF}); echo "$pid"`],
        ['How it stands', `${curl} ${quote(address('status/'))}"$pid"`],
        ['Interrupt it', `${curl} -X POST ${quote(address('interrupt/'))}"$pid"`],
    ];
}

// Made when it is opened: there may be many tasks, and large examples.
function curlDetails(task) {
    const place = h('div', {class: 'curls'});
    const element = h('details', null, h('summary', null, 'Command lines (curl)'), place);
    element.addEventListener('toggle', async () => {
        if (!element.open || place.firstChild) {
            return;
        }
        let whole = task;
        if (!task.raw.has('example')) {
            whole = await readTask(task.projectId, task.taskId).catch(() => task);
        }
        place.replaceChildren(...curlLines(whole).map(([label, line]) => h('div', null, h('h4', null, label),
            copyable(line, label, {lines: true}))));
    });
    return element;
}

function taskButtons(task, view) {
    const path = `${encodeURIComponent(task.projectId)}/${encodeURIComponent(task.taskId)}`;
    const name = {'aria-label': `${tame(titleOf(task))}`};
    const label = what => ({'aria-label': `${what} ${name['aria-label']}`});
    if (task.source === 'removed') {
        return task.editable ? [button('Set again', () => setAgain(task, view), label('Set again')),
            link('Edit', `#/edit/${path}`, {class: 'button', ...label('Edit')})] : [];
    }
    return [
        link('Test', `#/test/${path}`, {class: 'button primary', ...label('Test')}),
        task.editable ? link('Edit', `#/edit/${path}`, {class: 'button', ...label('Edit')}) : null,
        task.editable ? button('Remove', () => removeTask(task, view), {class: 'danger', ...label('Remove')}) : null,
    ];
}

function taskItem(task, view) {
    const marks = [task.source === 'stored' ? 'edited here' : null,
        task.callback ? 'callback' : null, task.schema ? 'schema' : null,
        task.rateLimit ? `${plural(task.rateLimit.runs, 'run', 'runs')} in ${task.rateLimit.seconds} s` : null];
    return h('li', {class: 'task'},
        h('div', {class: 'task-head'},
            h('div', {class: 'task-name'}, h('h3', null, said(titleOf(task))), badge(stateOf(task)),
                h('span', {class: 'id'}, `${task.projectId}/${task.taskId}`),
                task.description ? h('p', {class: 'soft'}, said(brief(task.description, 1000))) : null,
                marks.some(Boolean) ? h('p', {class: 'soft small'}, marks.filter(Boolean).join(' · ')) : null),
            h('div', {class: 'row'}, taskButtons(task, view))),
        task.broken ? notice('What was set here cannot be used', 'Edit it, or use the project file’s.') : null,
        task.source === 'removed' ? null : [copyable(runAddress(task), 'run endpoint', {method: 'POST'}),
            curlDetails(task)]);
}

function projectSection(project, items) {
    const id = freshId('project');
    return h('section', {class: 'card', 'aria-labelledby': id},
        h('div', {class: 'card-head'}, h('h2', {id}, said(projectTitle(project))),
            h('span', {class: 'id'}, `project ${project.projectId}`)),
        project.broken ? h('div', {class: 'inner'}, notice('This project’s file is broken', project.detail)) : null,
        items.length > 0 ? h('ul', {class: 'tasks'}, items)
            : h('p', {class: 'empty'}, 'There is no task in it that you may run.'));
}

function nothingYet() {
    return h('div', {class: 'card empty'}, h('h2', null, 'There is nothing to run yet'),
        h('p', null, 'Put a project file, such as conf/projects/569.json, into the folder that the directive ',
            h('code', null, 'DbsyncWfProjects'), ' names in httpd’s configuration. No restart is needed.'),
        h('p', null, 'If there are some, none of their tasks may be run by you: see ', h('code', null, 'Require'),
            ' on their paths.'));
}

function matches(task, words) {
    const text = [task.projectId, task.projectName, task.taskId, task.taskName, task.description].join(' ')
        .toLowerCase();
    return words.every(word => text.includes(word));
}

const MANY = 10; // tasks that need no filter
const AT_ONCE = 100; // tasks that are shown until more are asked for: thousands would take seconds

function overview(signal) {
    const place = h('div', {class: 'stack'});
    const list = h('div', {class: 'stack'});
    const filter = h('input', {type: 'search', id: 'filter', placeholder: 'Name, id or description',
        autocomplete: 'off'});
    const found = h('span', {class: 'hint', role: 'status'});
    const filters = h('div', {class: 'row', hidden: true}, h('label', {for: 'filter'}, 'Filter'),
        h('div', {class: 'grow'}, filter), found);
    let projects = [];
    let tasks = [];
    let most = AT_ONCE;
    const items = new Map(); // of tasks, once they are shown: what is open in one stays so
    const view = {signal, load};
    const itemOf = task => {
        if (!items.has(task)) {
            items.set(task, taskItem(task, view));
        }
        return items.get(task);
    };
    const show = () => {
        const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
        const matching = tasks.filter(task => matches(task, words));
        const shown = matching.slice(0, most);
        const isCut = shown.length < matching.length;
        const byProject = new Map(projects.map(project => [project.projectId, []]));
        shown.forEach(task => byProject.get(task.projectId)?.push(itemOf(task)));
        const visible = projects.filter(({projectId, broken}) => byProject.get(projectId).length > 0
            || (words.length === 0 && (broken || !isCut)));
        filters.hidden = tasks.length <= MANY;
        found.textContent = words.length > 0 ? plural(matching.length, 'task', 'tasks') : '';
        list.replaceChildren(...visible.map(project => projectSection(project, byProject.get(project.projectId))));
        if (isCut) {
            list.append(h('p', null, button(`Show more (${count.format(matching.length - shown.length)})`, () => {
                most += 5 * AT_ONCE;
                show();
            })));
        } else if (projects.length === 0) {
            list.append(nothingYet());
        } else if (visible.length === 0) {
            list.append(h('p', {class: 'card empty'}, 'No task matches the filter.'));
        }
    };
    async function load() {
        try {
            const listed = readProjects(signal);
            [projects, tasks] = await Promise.all([listed, readTasks(listed, signal)]);
            items.clear();
            show();
        } catch (error) {
            if (!signal.aborted) {
                list.replaceChildren(noticeOf(error));
            }
        }
    }
    filter.addEventListener('input', show);
    list.append(h('p', {class: 'soft'}, 'Loading…'));
    place.append(heading('API'),
        h('section', {class: 'card', 'aria-label': 'Base URL'}, h('div', {class: 'inner base'},
            h('h2', null, 'Base URL'), copyable(base.href.replace(/\/$/, ''), 'base URL'),
            h('span', {class: 'soft small'}, 'Description'),
            h('p', {class: 'small'}, link('openapi.json', address('openapi.json')),
                h('span', {class: 'soft'}, ' — requests need your name and password (Basic authentication)')))),
        filters, list);
    load();
    return {title: 'API', nav: 'tasks', element: place};
}

// Says how a change of a task went; the view is loaded anew in either case.
async function change(view, what, act) {
    try {
        const answer = await act();
        await view.load();
        return answer;
    } catch (error) {
        if (!view.signal.aborted) {
            toast([`${what} failed: `, said(error.problem?.detail ?? error.message)]);
            await view.load();
        }
        return null;
    }
}

function put(task, body, signal, condition) {
    return insist('PUT', configurationPath(task.projectId, task.taskId), {body, signal, headers: condition}, 4);
}

// Where it still is as it was read.
function ifSame(task) {
    return task.etag ? {'If-Match': task.etag} : {};
}

// A repeated request may find that the first one has done it.
async function remove(task, signal) {
    try {
        return await insist('DELETE', configurationPath(task.projectId, task.taskId),
            {signal, headers: ifSame(task)}, 4);
    } catch (error) {
        if (error.slug === 'removed') {
            return {};
        }
        throw error;
    }
}

async function removeTask(task, view) {
    const {signal} = view;
    const fresh = await readTask(task.projectId, task.taskId, signal).catch(() => task);
    if (!await confirmed('Remove it from the API?', [said(titleOf(task)), ' can then not be run through the API: its '
        + 'endpoint answers 404 until it is set again. Runs that are under way go on.'], 'Remove')) {
        return;
    }
    const answer = await change(view, 'Removing', () => remove(fresh, signal));
    if (answer) {
        const undo = {...fresh, formerSource: fresh.source};
        toast(['Removed: ', said(titleOf(task))], 'Undo', () => setAgain(undo, view)).querySelector('button').focus();
    }
}

// Sets one that was removed as it was last, unless somebody has set it meanwhile. Where the view is gone
// by now, its signal must not keep this from being sent, and it is another one that is to show it.
async function setAgain(task, view) {
    const isGone = view.signal.aborted;
    const body = task.formerSource === 'project' ? '{"useProjectFile": true}' : configurationText(task);
    if (await change(view, 'Setting it again', () => put(task, body, isGone ? undefined : view.signal,
        {'If-None-Match': '*'}))) {
        if (isGone && parseHash().name === '') {
            await show();
        }
        announce(`${tame(titleOf(task))} can be run again`);
        document.querySelector('h1')?.focus();
    }
}

// ---- the view that tests a task ----

// What was last written for a task, for as long as the tab is there.
const drafts = {
    key: task => `body ${base.pathname} ${task.projectId}/${task.taskId}`,
    get(task) {
        try {
            return sessionStorage.getItem(drafts.key(task));
        } catch {
            return null; // a browser may be told to keep nothing
        }
    },
    set(task, text) {
        try {
            sessionStorage.setItem(drafts.key(task), text);
        } catch {
            // Too long for it: then it is not kept.
        }
    },
};

function runKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

// A key makes the request one that can be repeated: it starts one run, however often it is sent.
function startRun(task, body, signal) {
    return insist('POST', `${taskPath(task.projectId, task.taskId)}/run?trigger=API`,
        {body, signal, headers: {'Idempotency-Key': runKey()}}, 6);
}

// Where the server says that a body is wrong, the place that it names.
function placeOf(problem) {
    if (problem.line) {
        return ` (line ${problem.line}, column ${problem.column})`;
    }
    const pointers = (problem.errors ?? []).map(error => error.pointer).filter(Boolean);
    return pointers.length > 0 ? ` (${pointers.join(', ')})` : '';
}

function testForm(task, example, start) {
    const editor = jsonEditor('Request body', {id: 'body', text: drafts.get(task) ?? example, rows: 14,
        hint: 'Any JSON value. It reaches the task byte for byte.',
        changed: () => drafts.set(task, editor.area.value)});
    const run = h('button', {type: 'submit', class: 'primary'}, 'Run ', h('kbd', {'aria-hidden': 'true'},
        /Mac|iP/.test(navigator.platform) ? '⌘↵' : 'Ctrl ↵'));
    const form = h('form', {class: 'form', novalidate: true}, editor.element, h('div', {class: 'row'}, run,
        button('Back to the example', () => editor.set(example), {class: 'plain'})));
    form.addEventListener('submit', async event => {
        event.preventDefault();
        if (!editor.isValid()) {
            editor.area.focus();
            announce(editor.says.textContent);
            return;
        }
        if (setBusy(run)) {
            await start(editor.area.value);
            setBusy(run, false);
        }
    });
    form.addEventListener('keydown', event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            form.requestSubmit();
        }
    });
    return form;
}

function testView(signal, [project, task]) {
    const element = h('div', null, heading('Test'), h('p', {class: 'soft'}, 'Loading…'));
    const panel = h('section', {class: 'card', 'aria-label': 'Run'},
        h('p', {class: 'empty'}, 'Run it, and what it does is shown here as it happens.'));
    let current = null; // the run that is shown ends being followed when another one is started
    const show = pid => {
        current?.abort();
        current = new AbortController();
        signal.addEventListener('abort', () => current.abort(), {once: true});
        panel.replaceChildren(runPanel(pid, current.signal, {title: 'Run',
            extra: h('p', null, link('The run’s page', `#/run/${pid}`))}));
        panel.scrollIntoView({block: 'nearest'});
    };
    const build = item => {
        const example = prettyJson(item.raw.get('example') ?? '{}');
        const start = async body => {
            try {
                const {data} = await startRun(item, body, signal);
                user = data.user ?? user;
                show(data.pid);
            } catch (error) {
                if (!signal.aborted) {
                    current?.abort();
                    panel.replaceChildren(h('div', {class: 'inner'}, error instanceof Problem
                        ? notice(error.message, `${error.problem.detail ?? ''}${placeOf(error.problem)}`)
                        : noticeOf(error)));
                }
            }
        };
        document.title = titleFor(`Test ${titleOf(item)}`);
        element.replaceChildren(heading(['Test ', said(titleOf(item))], h('p', {class: 'soft'},
            item.projectName ? [said(projectTitle(item)), ' · '] : null, h('span', {class: 'id'},
                `${item.projectId}/${item.taskId}`))),
        stateOf(item) === 'enabled' ? '' : h('p', {class: 'notice'},
            `This task is ${stateOf(item)}: a run of it through the API is refused.`),
        h('div', {class: 'split'}, h('section', {class: 'card', 'aria-label': 'Request'},
            h('div', {class: 'inner'}, testForm(item, example, start))), panel));
    };
    const loaded = showWhenRead(element, signal, () => readTask(project, task, signal), build);
    return {title: 'Test', nav: 'tasks', element, loaded};
}

// Fills a view with what is read for it, or with why it cannot be.
async function showWhenRead(element, signal, reads, build) {
    try {
        const found = await reads();
        if (!signal.aborted) {
            build(found);
        }
    } catch (error) {
        if (!signal.aborted) {
            element.replaceChildren(heading(error instanceof Problem && error.status === 404 ? 'Not found'
                : 'This cannot be shown'), noticeOf(error), h('p', {class: 'small'}, link('To the tasks', '#/')));
        }
    }
}

// ---- the view of one run ----

function actionBoxes(action) {
    return [action.message === undefined ? null : box(typeof action.message === 'string' ? action.message
        : JSON.stringify(action.message, null, 2), 'Message'),
    action.stdout ? box(action.stdout + (action.stdoutCut ? '…' : ''), 'Standard output') : null,
    action.stderr ? box(action.stderr + (action.stderrCut ? '…' : ''), 'Standard error') : null];
}

function actionItem(action) {
    const notes = [action.action, between(action.startTime, action.completionTime),
        action.exitCode ? `exit code ${action.exitCode}` : null, action.signal,
        action.attempts > 1 ? plural(action.attempts, 'attempt', 'attempts') : null,
        action.httpStatus ? `HTTP ${action.httpStatus}` : null];
    return h('li', {class: action.status ?? 'running'},
        h('div', {class: 'row'}, h('strong', null, said(action.name ?? action.action)),
            action.status && action.status !== 'completed' ? badge(action.status) : null,
            h('span', {class: 'soft small'}, said(notes.filter(Boolean).join(' · ')))),
        actionBoxes(action),
        action.actions?.length > 0 ? h('ol', {class: 'line'}, action.actions.map(actionItem)) : null,
        action.actionsLeftOut ? h('p', {class: 'hint'}, `${plural(action.actionsLeftOut, 'action is',
            'actions are')} left out.`) : null);
}

function point(state, name, time) {
    return h('li', {class: state}, h('div', {class: 'row'}, h('strong', null, name),
        h('span', {class: 'soft small'}, moment(time, {exact: true}))));
}

function timeLine(run) {
    const ends = {completed: 'Completed', error: 'Ended with an error', interrupted: 'Interrupted'};
    return h('section', {class: 'stack'}, h('h3', null, 'Time line'), h('ol', {class: 'line'},
        point('completed', 'Submitted', run.submitTime),
        run.startTime ? point('completed', 'Started', run.startTime) : null,
        (run.actions ?? []).map(actionItem),
        !isFinal(run) && run.progress?.action ? h('li', {class: 'running'}, h('div', {class: 'row'},
            h('strong', null, said(run.progress.action)), badge('running'))) : null,
        run.actionsLeftOut ? h('li', null, `${plural(run.actionsLeftOut, 'action is', 'actions are')} left out`) : null,
        run.interruptTime ? point('interrupted', 'Interrupt requested', run.interruptTime) : null,
        run.completionTime ? point(run.status, ends[run.status] ?? run.status, run.completionTime) : null));
}

// What the view of a run consists of.
function runParts(pid, signal) {
    const task = h('p', {class: 'soft'});
    const again = h('p', {class: 'row'});
    const line = h('div', {class: 'inner'});
    const callback = h('div', null);
    const tell = (run, hadEnded) => {
        const path = `${encodeURIComponent(run.projectId)}/${encodeURIComponent(run.taskId)}`;
        if (!task.firstChild) {
            task.append('Task ', h('span', {class: 'id'}, `${run.projectId}/${run.taskId}`));
            again.append(link('Run again with another body', `#/test/${path}`, {class: 'button'}),
                link('Runs of this task', `#/runs?project=${encodeURIComponent(run.projectId)}`
                    + `&task=${encodeURIComponent(run.taskId)}`));
            readTask(run.projectId, run.taskId, signal).then(found => task.prepend(said(titleOf(found)), ' · '),
                () => null); // its task may be gone; its id is shown
        }
        if (!hadEnded) { // then it stays as it is, and where it was scrolled to
            line.replaceChildren(timeLine(run));
        }
        callback.replaceChildren(run.callback ? callbackOf(run.callback) : '');
    };
    return h('div', {class: 'stack'}, heading(['Run ', h('code', null, said(pid))], task), again,
        h('div', {class: 'split'},
            h('section', {class: 'card', 'aria-label': 'Outcome'}, runPanel(pid, signal,
                {title: 'Status', extra: callback, tell})),
            h('section', {class: 'card', 'aria-label': 'Time line'}, line)));
}

function runView(signal, [pid]) {
    const element = h('div', null, heading('Run'), h('p', {class: 'soft'}, 'Loading…'));
    const loaded = showWhenRead(element, signal, () => read(`status/${encodeURIComponent(pid)}`, signal),
        () => element.replaceChildren(runParts(pid, signal)));
    return {title: `Run ${pid}`, nav: 'runs', element, loaded};
}

// ---- the view that edits a task's API configuration ----

// A member of the form: its label, its input and what is wrong with it. `pointer` is how the server
// names it.
function inputField(pointer, label, input, hint) {
    const id = input.id;
    const wrong = h('p', {id: `${id}-wrong`, class: 'wrong'});
    input.setAttribute('aria-describedby', `${id}-wrong${hint ? ` ${id}-hint` : ''}`);
    const element = h('div', {class: 'field'}, h('label', {for: id}, label), input, wrong,
        hint ? h('p', {id: `${id}-hint`, class: 'hint'}, hint) : null);
    return {pointer, label, input, element, complain(text) {
        wrong.textContent = text;
        input.setAttribute('aria-invalid', String(text !== ''));
    }};
}

function jsonField(pointer, label, options) {
    const editor = jsonEditor(label, {...options, optional: true});
    return {pointer, label, input: editor.area, element: editor.element, editor, complain(text) {
        if (editor.isValid() && text !== '') {
            editor.says.textContent = text;
            editor.says.className = 'wrong';
            editor.area.setAttribute('aria-invalid', 'true');
        }
    }};
}

// "whsec_" and the base64 of 32 random bytes, as Standard Webhooks want it.
function freshSecret() {
    return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}

// The secret of a callback: written, never read. A generated one is shown this once.
function secretField(hasSecret) {
    const input = h('input', {id: 'secret', type: 'password', autocomplete: 'new-password', spellcheck: 'false'});
    const field = inputField('/callback/secret', 'Secret that callbacks are signed with', input,
        hasSecret ? 'One is set. Leave this empty to keep it.'
            : '“whsec_” and the base64 of 24 to 64 random bytes.');
    const shown = h('div', {class: 'stack'});
    field.element.append(h('div', {class: 'row'}, button('Generate a secret', () => {
        input.value = freshSecret();
        input.dispatchEvent(new Event('input', {bubbles: true}));
        shown.replaceChildren(h('p', {class: 'hint'}, 'Copy it now: once it is saved, it is never shown again.'),
            copyable(input.value, 'secret'));
        announce('A secret was generated');
    }, {class: 'tiny'})), shown);
    return field;
}

function fieldsOf(task) {
    const text = (id, value, more) => h('input', {id, value: value ?? '', autocomplete: 'off', ...more});
    const raw = name => (task.raw.has(name) ? prettyJson(task.raw.get(name)) : '');
    return {
        enabled: h('input', {type: 'checkbox', id: 'enabled', checked: task.enabled !== false}),
        description: inputField('/description', 'Description', h('textarea', {id: 'description', rows: 3,
            maxlength: 4096, value: task.description ?? ''}), 'For those who call it. At most 4,096 bytes.'),
        example: jsonField('/example', 'Example body', {id: 'example', text: raw('example'), rows: 8,
            hint: 'What Test and the command lines begin with.'}),
        schema: jsonField('/schema', 'JSON Schema', {id: 'schema', text: raw('schema'), rows: 8,
            hint: 'Bodies that do not satisfy it are refused. Empty: any body is taken.'}),
        runs: inputField('/rateLimit/runs', 'Runs', text('runs', task.rateLimit?.runs, {type: 'number', min: 1,
            max: 1000000, step: 1, inputmode: 'numeric'})),
        seconds: inputField('/rateLimit/seconds', 'In seconds', text('seconds', task.rateLimit?.seconds,
            {type: 'number', min: 1, max: 86400, step: 1, inputmode: 'numeric'})),
        url: inputField('/callback/url', 'URL that is told of each run’s end', text('url', task.callback?.url,
            {type: 'url', placeholder: 'https://example.com/hook', inputmode: 'url', spellcheck: 'false'}),
        'Empty: nobody is told.'),
        secret: secretField(task.callback?.hasSecret),
    };
}

// What is to be sent, of texts: an example's digits stay as they were typed.
function documentOf(fields) {
    const value = field => field.input.value.trim();
    const members = new Map([['enabled', String(fields.enabled.checked)]]);
    if (value(fields.description) !== '') {
        members.set('description', JSON.stringify(fields.description.input.value));
    }
    for (const name of ['example', 'schema']) {
        if (value(fields[name]) !== '') {
            members.set(name, value(fields[name]));
        }
    }
    if (value(fields.runs) !== '' || value(fields.seconds) !== '') {
        members.set('rateLimit', `{"runs": ${Number(value(fields.runs))}, `
            + `"seconds": ${Number(value(fields.seconds))}}`);
    }
    if (value(fields.url) !== '') {
        const callback = new Map([['url', JSON.stringify(value(fields.url))]]);
        if (value(fields.secret) !== '') {
            callback.set('secret', JSON.stringify(value(fields.secret)));
        }
        members.set('callback', writeObject(callback));
    }
    return writeObject(members);
}

// What is wrong before the server is asked: a list of [field, text].
function mistakesIn(fields) {
    const mistakes = [];
    for (const field of [fields.example, fields.schema]) {
        const text = field.editor.text();
        const mistake = text === '' ? null : jsonMistake(text);
        if (mistake) {
            mistakes.push([field, `line ${mistake.line}, column ${mistake.column}: ${mistake.message}`]);
        }
    }
    const [runs, seconds] = [fields.runs, fields.seconds];
    for (const [field, other, most] of [[runs, seconds, 1000000], [seconds, runs, 86400]]) {
        const number = Number(field.input.value);
        if ((field.input.value !== '' || other.input.value !== '' || field.input.validity.badInput)
            && !(Number.isInteger(number) && number >= 1 && number <= most)) {
            mistakes.push([field, `must be a whole number from 1 to ${count.format(most)}; leave both empty for `
                + 'no limit']);
        }
    }
    if (fields.secret.input.value !== '' && fields.url.input.value.trim() === '') {
        mistakes.push([fields.url, 'must be there, for the secret to sign anything']);
    }
    return mistakes;
}

// What the server says is wrong: "/rateLimit/runs: must be …" names a field.
function mistakesOf(error, fields) {
    const detail = error.problem?.detail ?? error.message;
    const [, pointer, text] = /^(\/[^:\s]*):? +(.*)$/s.exec(detail) ?? [];
    const field = pointer && Object.values(fields).find(one => one.pointer
        && (pointer === one.pointer || pointer.startsWith(`${one.pointer}/`)
            || one.pointer.startsWith(`${pointer}/`)));
    return [[field, field ? `${pointer === field.pointer ? '' : `${pointer}: `}${text}` : detail]];
}

// The summary on top, with the focus, and each mistake where it was made.
function complain(place, fields, title, mistakes) {
    Object.values(fields).forEach(field => field.complain?.(''));
    mistakes.forEach(([field, text]) => field?.complain(text));
    const box = h('div', {class: 'notice bad', tabindex: -1, role: 'alert'}, h('strong', null, said(title)),
        h('ul', null, mistakes.map(([field, text]) => h('li', null, field
            ? [h('a', {href: `#${field.input.id}`, on: {click: event => {
                event.preventDefault();
                field.input.focus();
            }}}, field.label), ': ', said(text)] : said(text)))));
    place.replaceChildren(box);
    box.focus();
}

function changedBy(task) {
    if (!task.changeTime) {
        return null;
    }
    return h('p', {class: 'soft small'}, 'Last changed ', moment(task.changeTime),
        task.changedBy ? [' by ', said(task.changedBy)] : null);
}

let unsaved = null; // what a form holds that is not saved: asked before the view is left

function editForm(task, place, actions) {
    const fields = fieldsOf(task);
    const form = h('form', {class: 'form', novalidate: true},
        h('div', {class: 'check'}, fields.enabled, h('label', {for: 'enabled'}, 'It may be run through the API')),
        fields.description.element, fields.example.element, fields.schema.element,
        h('fieldset', null, h('legend', null, 'Rate limit'), h('div', {class: 'pair'}, fields.runs.element,
            fields.seconds.element), h('p', {class: 'hint'}, 'Empty: no limit.')),
        h('fieldset', null, h('legend', null, 'Callback'), fields.url.element, fields.secret.element),
        h('div', {class: 'row'}, h('button', {type: 'submit', class: 'primary'}, 'Save'),
            link('Cancel', '#/', {class: 'button'}), h('span', {class: 'grow'}),
            task.source === 'stored' || task.source === 'removed'
                ? button('Use the project file’s', actions.reset) : null));
    form.addEventListener('input', () => { unsaved = form; });
    form.addEventListener('submit', async event => {
        event.preventDefault();
        const mistakes = mistakesIn(fields);
        if (mistakes.length > 0) {
            complain(place, fields, 'It was not saved', mistakes);
            return;
        }
        const save = form.querySelector('[type=submit]');
        if (setBusy(save)) {
            await actions.save(documentOf(fields), error => complain(place, fields, error.message,
                mistakesOf(error, fields)));
            setBusy(save, false);
        }
    });
    return form;
}

// Somebody else has changed it meanwhile: their version, or this one.
function conflict(place, reload, overwrite) {
    const box = h('div', {class: 'notice', tabindex: -1, role: 'alert'},
        h('strong', null, 'It was changed meanwhile'), 'Somebody has changed or removed this configuration since it '
            + 'was read. Nothing was saved.', h('div', {class: 'row'},
            button('Load theirs, and lose mine', reload), button('Overwrite theirs with mine', overwrite)));
    place.replaceChildren(box);
    box.focus();
}

function editView(signal, [project, task]) {
    const element = h('div', null, heading('Edit'), h('p', {class: 'soft'}, 'Loading…'));
    const done = text => {
        unsaved = null;
        location.hash = '#/';
        toast(text);
    };
    const send = async (item, place, body, condition, fail) => {
        try {
            await put(item, body, signal, condition);
            done(['Saved: ', said(titleOf(item))]);
        } catch (error) {
            if (signal.aborted) {
                return;
            }
            if (error.status === 412) {
                conflict(place, () => { unsaved = null; load(); },
                    () => send(item, place, body, {}, fail));
            } else {
                fail(error);
            }
        }
    };
    const build = item => {
        const place = h('div', null);
        const actions = {
            save: (body, fail) => send(item, place, body, ifSame(item), fail),
            reset: async () => {
                if (await confirmed('Use the project file’s?', 'What was set here is lost, the secret included.',
                    'Use the project file’s')) {
                    await send(item, place, '{"useProjectFile": true}', ifSame(item), error =>
                        place.replaceChildren(noticeOf(error)));
                }
            },
        };
        document.title = titleFor(`Edit ${titleOf(item)}`);
        element.replaceChildren(h('div', {class: 'stack'},
            heading(['Edit ', said(titleOf(item))], h('p', {class: 'soft'},
                item.projectName ? [said(projectTitle(item)), ' · '] : null,
                h('span', {class: 'id'}, `${item.projectId}/${item.taskId}`)), changedBy(item)),
            place, item.editable ? '' : h('p', {class: 'notice'}, 'You may look at this, and not change it.'),
            item.broken ? notice('What is stored cannot be used', 'Save it anew, or use the project file’s.') : '',
            h('section', {class: 'card', 'aria-label': 'API configuration'},
                h('div', {class: 'inner'}, editForm(item, place, actions)))));
    };
    const load = () => showWhenRead(element, signal, () => readTask(project, task, signal), build);
    return {title: 'Edit', nav: 'tasks', element, loaded: load()};
}

// ---- charts ----

// Colours that differ in light and in dark, and a mark on each, since not everybody sees colours.
const OUTCOMES = ['completed', 'error', 'interrupted'];
const OUTCOME_NAMES = {completed: 'completed', error: 'with an error', interrupted: 'interrupted'};

function patternOf(outcome, id) {
    const marks = {
        error: () => svg('path', {d: 'M-1 1 L1 -1 M0 6 L6 0 M5 7 L7 5', class: 'mark'}),
        interrupted: () => svg('circle', {cx: 3, cy: 3, r: 1.2, class: 'mark-dot'}),
    };
    return svg('pattern', {id, width: 6, height: 6, patternUnits: 'userSpaceOnUse'},
        svg('rect', {width: 6, height: 6, class: `of-${outcome}`}), marks[outcome]?.() ?? null);
}

// A chart that is drawn anew for the width that it has; draw(width) gives its height and elements.
function chart(label, signal, draw) {
    const element = svg('svg', {class: 'chart', role: 'img', 'aria-label': label, height: 10});
    let last = 0;
    const observer = new ResizeObserver(() => {
        const width = Math.floor(element.parentNode.clientWidth);
        if (width > 0 && width !== last) {
            last = width;
            const {height, parts} = draw(width);
            element.setAttribute('height', height);
            element.setAttribute('viewBox', `0 0 ${width} ${height}`);
            element.replaceChildren(...parts);
        }
    });
    const place = h('div', null, element);
    observer.observe(place);
    signal.addEventListener('abort', () => observer.disconnect(), {once: true});
    return place;
}

// What a chart says, for those who want it as numbers or hear it.
function chartTable(caption, names, rows) {
    return h('details', null, h('summary', null, 'As a table'), h('table', null,
        h('caption', {class: 'unseen'}, caption),
        h('thead', null, h('tr', null, names.map((name, i) => h('th', {scope: 'col', class: i > 0 ? 'number' : false},
            name)))),
        h('tbody', null, rows.map(row => h('tr', null, row.map((cell, i) => (i === 0 ? h('th', {scope: 'row'}, cell)
            : h('td', {class: 'number'}, cell))))))));
}

const hourOf = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit'});

function totalOf(hour) {
    return OUTCOMES.reduce((sum, outcome) => sum + (hour[outcome] ?? 0), 0);
}

// A round number that is not below, whose half is a whole one: where an axis ends.
function roundUp(number) {
    const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
    return [2, 4, 6, 8, 10].map(step => step * power).find(step => step >= number);
}

function hourBar(hour, i, scale, ids) {
    let top = scale.bottom;
    const title = `${hourOf.format(new Date(hour.from))}: ${OUTCOMES.map(outcome =>
        `${count.format(hour[outcome] ?? 0)} ${OUTCOME_NAMES[outcome]}`).join(', ')}`;
    return svg('g', null, svg('title', null, title), OUTCOMES.filter(outcome => hour[outcome] > 0).map(outcome => {
        const height = Math.max(2, hour[outcome] / scale.most * scale.height);
        top -= height;
        return svg('rect', {x: scale.x(i) + scale.gap / 2, y: top, width: Math.max(1, scale.step - scale.gap), height,
            rx: 1, fill: `url(#${ids[outcome]})`});
    }));
}

function drawHours(hours, width) {
    const most = roundUp(Math.max(...hours.map(totalOf), 1));
    const left = 12 + 7 * count.format(most).length;
    const step = (width - left) / hours.length;
    const scale = {most, height: 130, bottom: 140, step, gap: step > 8 ? 3 : 1, x: i => left + i * step};
    const ids = Object.fromEntries(OUTCOMES.map(outcome => [outcome, freshId('pattern')]));
    const every = Math.ceil(64 / step); // as many labels as have room
    return {height: 164, parts: [
        svg('defs', null, OUTCOMES.map(outcome => patternOf(outcome, ids[outcome]))),
        [0, 0.5, 1].map(part => {
            const y = scale.bottom - part * scale.height;
            return [svg('line', {x1: left, x2: width, y1: y, y2: y, class: 'axis'}),
                svg('text', {x: left - 6, y: y + 4, 'text-anchor': 'end'}, count.format(most * part))];
        }),
        hours.map((hour, i) => hourBar(hour, i, scale, ids)),
        hours.map((hour, i) => (i % every === 0 && scale.x(i) + 52 < width
            ? svg('text', {x: scale.x(i), y: 158}, hourOf.format(new Date(hour.from))) : null)),
    ].flat(Infinity).filter(part => part !== null)};
}

function legend() {
    return h('span', {class: 'legend', 'aria-hidden': 'true'}, OUTCOMES.map(outcome => {
        const id = freshId('pattern');
        return h('span', null, svg('svg', {width: 12, height: 12}, svg('defs', null, patternOf(outcome, id)),
            svg('rect', {width: 12, height: 12, rx: 2, fill: `url(#${id})`})), OUTCOME_NAMES[outcome]);
    }));
}

function hoursFigure(hours, signal) {
    const sums = OUTCOMES.map(outcome => `${count.format(hours.reduce((sum, hour) => sum + (hour[outcome] ?? 0), 0))} `
        + OUTCOME_NAMES[outcome]).join(', ');
    return h('figure', null, h('figcaption', null, 'Runs per hour', legend()),
        chart(`Runs per hour, of the last ${hours.length} hours: ${sums}`, signal, width => drawHours(hours, width)),
        chartTable('Runs per hour', ['From', ...OUTCOMES], hours.map(hour => [moment(hour.from),
            ...OUTCOMES.map(outcome => count.format(hour[outcome] ?? 0))])));
}

function durationName(bucket, before) {
    return bucket.upTo === undefined ? `over ${duration(before * 1000)}` : `to ${duration(bucket.upTo * 1000)
        .replace(/\.0+ s$/, ' s')}`;
}

function drawDurations(rows, width) {
    const most = Math.max(...rows.map(row => row.runs), 1);
    const [left, right] = [86, 14 + 8 * count.format(most).length];
    const step = Math.max(15, Math.min(22, 150 / rows.length));
    return {height: rows.length * step + 4, parts: rows.flatMap((row, i) => [
        svg('text', {x: left - 8, y: i * step + step / 2 + 4, 'text-anchor': 'end'}, row.name),
        svg('rect', {x: left, y: i * step + 2, height: step - 5, rx: 2, class: 'of-all',
            width: row.runs > 0 ? Math.max(2, row.runs / most * (width - left - right)) : 0}),
        svg('text', {x: left + 6 + row.runs / most * (width - left - right), y: i * step + step / 2 + 4},
            row.runs > 0 ? count.format(row.runs) : ''),
    ])};
}

function durationsFigure(durations, signal) {
    const rows = durations.map((bucket, i) => ({runs: bucket.runs,
        name: durationName(bucket, durations[i - 1]?.upTo ?? 0)}));
    // None at either end is of no interest.
    const first = rows.findIndex(row => row.runs > 0);
    const last = rows.findLastIndex(row => row.runs > 0);
    const text = rows.filter(row => row.runs > 0).map(row => `${count.format(row.runs)} ${row.name}`).join(', ');
    return h('figure', null, h('figcaption', null, 'How long they took'),
        chart(`How long runs took: ${text}`, signal, width =>
            drawDurations(rows.slice(Math.max(first - 1, 0), last + 2), width)),
        chartTable('How long runs took', ['Time', 'Runs'], rows.map(row => [row.name, count.format(row.runs)])));
}

// Nothing where this server has no statistics, or no run has ended yet.
async function showCharts(place, query, signal) {
    const only = new URLSearchParams([['hours', '24'], ...[...query].filter(([name]) =>
        ['project', 'task'].includes(name))]);
    const {data} = await read(`statistics?${only}`, signal);
    place.hidden = !data.hours.some(hour => totalOf(hour) > 0);
    if (!place.querySelector('details[open]')) { // nobody reads the table just now
        place.replaceChildren(...[[hoursFigure, data.hours], [durationsFigure, data.durations]].map(([make, what]) =>
            h('section', {class: 'card', 'aria-label': make === hoursFigure ? 'Runs per hour' : 'Durations'},
                h('div', {class: 'inner'}, make(what, signal)))));
    }
}

// ---- the view of the list of runs ----

const FILTERS = ['project', 'task', 'status', 'user', 'from', 'to'];
const STATUSES = ['submitted', 'running', 'completed', 'error', 'interrupted'];

// A moment as the input takes it, in local time, and back.
function toLocal(text) {
    const when = new Date(text);
    return text && !Number.isNaN(when.getTime())
        ? new Date(when - when.getTimezoneOffset() * 60000).toISOString().slice(0, 16) : '';
}

function fromLocal(text) {
    const when = new Date(text);
    return Number.isNaN(when.getTime()) ? '' : when.toISOString();
}

function choices(select, all, chosen) {
    const known = all.some(([value]) => value === chosen);
    select.replaceChildren(h('option', {value: ''}, 'All'), ...[...all, ...known || !chosen ? [] : [[chosen, chosen]]]
        .map(([value, name]) => h('option', {value}, tame(name).slice(0, 80))));
    select.value = chosen;
}

function filterForm(query, tasks) {
    const select = id => h('select', {id: `of-${id}`, name: id});
    const project = select('project');
    const task = select('task');
    const status = select('status');
    const text = (id, type, value) => h('input', {id: `of-${id}`, name: id, type, value, autocomplete: 'off'});
    const field = (label, input) => h('div', {class: input.type === 'datetime-local' ? 'field date' : 'field'},
        h('label', {for: input.id}, label), input);
    const inputs = [field('Project', project), field('Task', task), field('Status', status),
        field('User', text('user', 'text', query.get('user') ?? '')),
        field('From', text('from', 'datetime-local', toLocal(query.get('from')))),
        field('To', text('to', 'datetime-local', toLocal(query.get('to'))))];
    const form = h('form', {class: 'filters', 'aria-label': 'Filter'}, inputs, h('div', {class: 'row'},
        h('button', {type: 'submit'}, 'Show'), link('All', '#/runs')));
    const offer = all => {
        const names = new Map(all.map(item => [item.projectId, `${projectTitle(item)} (${item.projectId})`]));
        choices(project, [...names], project.value || (query.get('project') ?? ''));
        offerTasks(all, query.get('task') ?? '');
    };
    const offerTasks = (all, chosen) => choices(task, all.filter(item => item.projectId === project.value)
        .map(item => [item.taskId, `${titleOf(item)} (${item.taskId})`]), chosen);
    choices(status, STATUSES.map(one => [one, one]), query.get('status') ?? '');
    offer([]);
    tasks.then(all => {
        offer(all);
        project.addEventListener('change', () => offerTasks(all, ''));
    });
    form.addEventListener('submit', event => {
        event.preventDefault();
        const asked = [...new FormData(form)].map(([name, value]) =>
            [name, ['from', 'to'].includes(name) ? fromLocal(value) : value.trim()]);
        const wanted = new URLSearchParams(asked.filter(([, value]) => value !== ''));
        location.hash = `#/runs${wanted.size > 0 ? `?${wanted}` : ''}`;
    });
    return form;
}

// A row, which is changed rather than replaced, so that who is on its link stays there.
function runRow(run, names) {
    const cell = (...content) => h('td', {role: 'cell'}, content);
    const name = names.get(`${run.projectId}/${run.taskId}`);
    const state = cell();
    const took = cell();
    took.className = 'number';
    const element = h('tr', {role: 'row'},
        cell(h('a', {href: `#/run/${run.pid}`}, said(name ?? `Task ${run.taskId}`)), ' ',
            h('span', {class: 'id'}, `${run.projectId}/${run.taskId}`)),
        state, cell(moment(run.submitTime)), took, cell(said(run.user ?? '')),
        h('td', {role: 'cell', class: 'pid'}, h('code', {class: 'soft'}, `…${run.pid.slice(-8)}`)));
    let shown = '';
    return {element, update(now) {
        const text = `${now.status} ${now.completionTime}`;
        if (text !== shown) {
            shown = text;
            state.replaceChildren(badge(now.status));
            took.replaceChildren(between(now.startTime, now.completionTime));
        }
    }};
}

// The runs that are known, by pid; pids sort by time.
class RunList {
    constructor(body, empty, names) {
        Object.assign(this, {body, empty, names, rows: new Map()});
    }

    // Takes a page: the newest ones where it is the first. What lies within it and is not in it is no
    // longer among those that are asked for. Where more have come than a page has, what is between it and
    // the older ones is not known: those go, and true is given, for "More" to go on behind this page.
    take(page, isFirst) {
        const pids = new Set(page.runs.map(run => run.pid));
        const known = [...this.rows];
        const oldest = page.next === undefined ? '' : page.runs.at(-1)?.pid ?? '';
        const isApart = isFirst && page.next !== undefined && !known.some(([pid]) => pids.has(pid));
        for (const [pid, row] of isFirst ? known : []) {
            if (isApart || (pid >= oldest && !pids.has(pid))) {
                row.element.remove();
                this.rows.delete(pid);
            }
        }
        for (const run of page.runs) {
            if (!this.rows.has(run.pid)) {
                this.rows.set(run.pid, runRow(run, this.names));
                this.place(run.pid);
            }
            this.rows.get(run.pid).update(run);
        }
        this.empty.hidden = this.rows.size > 0;
        return isApart;
    }

    // Before the first one that is older; most are at one of the ends.
    place(pid) {
        const {element} = this.rows.get(pid);
        element.dataset.pid = pid;
        const older = [...this.body.children].find(other => other.dataset.pid < pid);
        this.body.insertBefore(element, older ?? null);
    }
}

function runsTable() {
    const body = h('tbody', {role: 'rowgroup'});
    const names = ['Task', 'Status', 'Submitted', 'Took', 'User', 'Run'].map(name => h('th', {scope: 'col',
        role: 'columnheader', class: name === 'Took' ? 'number' : false}, name));
    const table = h('table', {class: 'runs', role: 'table', 'aria-label': 'Runs'},
        h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, names)), body);
    return {table, body};
}

function runsView(signal, rest, asked) {
    const query = new URLSearchParams([...asked].filter(([name]) => FILTERS.includes(name)));
    const path = what => `${what}${query.size > 0 ? `?${query}` : ''}`;
    const {table, body} = runsTable();
    const empty = h('p', {class: 'empty'}, 'Loading…');
    const trouble = h('div', null);
    const charts = h('div', {class: 'charts', hidden: true});
    const tasks = readTasks(readProjects(signal), signal).catch(() => []);
    const names = new Map();
    const list = new RunList(body, empty, names);
    let next = null; // where the pages go on that are shown
    const more = h('div', {class: 'inner row', hidden: true}, button('More', async () => {
        const {data} = await read(`runs?${new URLSearchParams([...query, ['cursor', next]])}`, signal);
        next = data.next ?? null;
        more.hidden = next === null;
        list.take(data, false);
    }));
    const take = data => {
        empty.textContent = query.size > 0 ? 'No run matches the filter.' : 'Nothing has been run yet.';
        if (list.take(data, true)) { // otherwise only "More" moves it
            next = data.next;
            more.hidden = false;
        }
        trouble.replaceChildren();
    };
    const poll = async live => {
        try {
            take((await read(path('runs'), live)).data);
        } catch (error) {
            if (!live.aborted) {
                trouble.replaceChildren(noticeOf(error));
                empty.textContent = '';
            }
            return !(error instanceof Problem);
        }
        return true;
    };
    let live = null;
    const pauseButton = button('Pause', () => follow(live === null), {class: 'tiny', 'aria-pressed': 'false'});
    function follow(wanted) {
        live?.abort();
        live = wanted ? new AbortController() : null;
        pauseButton.setAttribute('aria-pressed', String(!wanted));
        if (live) {
            const {signal: until} = live;
            signal.addEventListener('abort', () => live?.abort(), {once: true});
            stream(path('runs/events'), until, {runs: text => take(JSON.parse(text))}, () => poll(until), 5000);
            drawCharts(until);
        }
    }
    const drawCharts = async until => {
        try {
            for (;;) {
                await showCharts(charts, query, until);
                await pause(30000, until);
            }
        } catch (error) {
            charts.hidden = charts.hidden || !until.aborted; // paused, they stay as they are
        }
    };
    tasks.then(all => {
        all.forEach(item => names.set(`${item.projectId}/${item.taskId}`, titleOf(item)));
        if (!signal.aborted) {
            follow(true);
        }
    });
    const element = h('div', {class: 'stack'}, heading('Runs'),
        h('section', {class: 'card', 'aria-label': 'Filter'}, h('div', {class: 'inner'}, filterForm(query, tasks))),
        charts, trouble,
        h('section', {class: 'card', 'aria-label': 'Runs'}, h('div', {class: 'card-head'}, h('h2', {class: 'grow'},
            'Newest first'), pauseButton), table, empty, more));
    return {title: 'Runs', nav: 'runs', element};
}

// ---- from an address to a view ----

const VIEWS = {'': overview, test: testView, edit: editView, runs: runsView, run: runView};

function titleFor(text) {
    return `${tame(text)} · DBSync workflows`;
}

function parseHash() {
    const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
    const [name, ...rest] = path.split('/').map(part => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
    return {name, rest, query: new URLSearchParams(query ?? '')};
}

function nowhere() {
    return {title: 'Not found', element: h('div', null, heading('Not found'),
        h('p', null, link('To the tasks', '#/')))};
}

let leaving = null; // ends the view that is shown
let shownHash = location.hash;
let isFirst = true;

// Whether a view with something unsaved may be left; its address comes back where not.
async function mayLeave() {
    const wanted = location.hash;
    if (!unsaved?.isConnected || wanted === shownHash) {
        return true;
    }
    history.replaceState(null, '', shownHash);
    if (await confirmed('Leave without saving?', 'What you have changed is lost.', 'Leave')) {
        unsaved = null;
        location.hash = wanted;
    }
    return false;
}

async function show() {
    document.querySelectorAll('dialog').forEach(dialog => dialog.close()); // it asked about another view
    if (!await mayLeave()) {
        return;
    }
    const {name, rest, query} = parseHash();
    shownHash = location.hash;
    unsaved = null;
    leaving?.abort();
    leaving = new AbortController();
    const view = (VIEWS[name] ?? nowhere)(leaving.signal, rest, query);
    document.getElementById('main').replaceChildren(view.element);
    document.title = titleFor(view.title);
    for (const item of document.querySelectorAll('.top nav a')) {
        if (item.dataset.view === view.nav) {
            item.setAttribute('aria-current', 'page');
        } else {
            item.removeAttribute('aria-current');
        }
    }
    if (isFirst) { // a page that has just been loaded begins at its beginning
        isFirst = false;
        return;
    }
    window.scrollTo(0, 0);
    focusHeading(leaving.signal, view.loaded);
}

// To the heading, which tells those who listen where they are; again where the view is filled later.
async function focusHeading(signal, loaded) {
    const focus = () => document.querySelector('h1')?.focus({preventScroll: true});
    focus();
    await loaded;
    if (!signal.aborted && [document.body, document.querySelector('h1')].includes(document.activeElement)) {
        focus();
    }
}

document.getElementById('skip').addEventListener('click', event => {
    event.preventDefault(); // a fragment is a view's address here
    document.getElementById('main').focus();
});
window.addEventListener('hashchange', show);
window.addEventListener('beforeunload', event => {
    if (unsaved?.isConnected) {
        event.preventDefault();
    }
});
show();
