#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the API's description, and answers of a server against it.

    openapi_check.py tree       in the top folder: mod_dbsync_wf/http/openapi.json by itself, and beside
                                the problems, paths and methods that the code has
    openapi_check.py answers    standard input: the description in the first line, and then an answer a
                                line: {"name": …, "method": …, "path": …, "status": …, "headers": …, "body": …}

Prints "ok NAME" or "not ok NAME: WHY" for each thing that is checked, and "done" at the end. Beyond what
the JSON Schema of OpenAPI says, the structure is only what this description uses; anything else is refused.
"""
import copy
import json
import re
import sys

from jsonschema import Draft202012Validator, RefResolver

HTTP = 'mod_dbsync_wf/http/'
METHODS = ('get', 'post')

# What a schema of the description may use of JSON Schema.
KEYWORDS = [
    '$ref', 'additionalProperties', 'allOf', 'const', 'default', 'description', 'enum', 'examples',
    'exclusiveMinimum', 'format', 'items', 'maxItems', 'maximum', 'minLength', 'minimum', 'pattern',
    'properties', 'required', 'type',
]


def closed(properties, *required):
    """The schema of an object that has these members and no others."""
    return {'type': 'object', 'properties': properties, 'required': list(required),
            'additionalProperties': False}


def either(name):
    """A reference, or what is meant itself."""
    return {'if': {'required': ['$ref']}, 'then': closed({'$ref': {'pattern': '^#/components/'}}, '$ref'),
            'else': {'$ref': '#/$defs/' + name}}


def table(of, pattern='^'):
    return {'type': 'object', 'patternProperties': {pattern: of}, 'additionalProperties': False}


TEXT = {'type': 'string', 'minLength': 1}
SCHEMA = {'anyOf': [{'type': 'boolean'}, {'type': 'object', 'propertyNames': {'enum': KEYWORDS}}]}
RULES = {
    **closed({
        'openapi': {'pattern': r'^3\.1\.\d+$'},
        'info': closed({'title': TEXT, 'version': TEXT, 'summary': TEXT, 'description': TEXT,
                        'license': closed({'name': TEXT, 'identifier': TEXT}, 'name')}, 'title', 'version'),
        'servers': {'type': 'array', 'items': closed({'url': TEXT, 'description': TEXT}, 'url'),
                    'minItems': 1, 'maxItems': 1},
        'security': {'type': 'array', 'items': {'type': 'object', 'additionalProperties': {'type': 'array'}}},
        'tags': {'type': 'array', 'items': closed({'name': TEXT, 'description': TEXT}, 'name')},
        'paths': table(closed({'parameters': {'$ref': '#/$defs/parameters'},
                               **{method: {'$ref': '#/$defs/operation'} for method in METHODS}}), '^/'),
        'components': closed({
            'securitySchemes': table(closed({'type': {'const': 'http'}, 'scheme': TEXT, 'description': TEXT},
                                            'type', 'scheme')),
            'parameters': table({'$ref': '#/$defs/parameter'}),
            'headers': table({'$ref': '#/$defs/header'}),
            'responses': table({'$ref': '#/$defs/response'}),
            'schemas': table(SCHEMA),
        }),
    }, 'openapi', 'info', 'servers', 'security', 'paths', 'components'),
    '$defs': {
        'parameters': {'type': 'array', 'items': either('parameter')},
        'parameter': {
            **closed({'name': TEXT, 'in': {'enum': ['path', 'query', 'header']}, 'description': TEXT,
                      'required': {'type': 'boolean'}, 'schema': SCHEMA, 'example': True},
                     'name', 'in', 'schema'),
            'if': {'properties': {'in': {'const': 'path'}}},
            'then': {'properties': {'required': {'const': True}}, 'required': ['required']},
        },
        'header': closed({'description': TEXT, 'required': {'type': 'boolean'}, 'schema': SCHEMA}, 'schema'),
        'content': table(closed({'schema': SCHEMA, 'example': True}, 'schema'), r'^[a-z]+/[a-z+-]+$'),
        'response': closed({
            'description': TEXT,
            'headers': table(either('header')),
            'content': {'$ref': '#/$defs/content'},
            'links': table(closed({'operationId': TEXT, 'parameters': table(TEXT)}, 'operationId')),
        }, 'description'),
        'operation': closed({
            'operationId': {'pattern': '^[a-z][A-Za-z]+$'}, 'summary': TEXT, 'description': TEXT,
            'tags': {'type': 'array', 'minItems': 1}, 'parameters': {'$ref': '#/$defs/parameters'},
            'requestBody': closed({'required': {'type': 'boolean'}, 'description': TEXT,
                                   'content': {'$ref': '#/$defs/content'}}, 'content'),
            'responses': {**table(either('response'), r'^([2345]\d\d|default)$'), 'required': ['default']},
        }, 'operationId', 'tags', 'summary', 'responses'),
    },
}


def say(name, *problems):
    """One line of what is printed."""
    told = '; '.join(str(problem) for problem in problems if problem)
    print(f'not ok {name}: {told}'.replace('\n', ' ')[:1000] if told else f'ok {name}')


def resolve(document, node):
    """What a reference leads to, or the node itself."""
    while isinstance(node, dict) and '$ref' in node:
        place = document
        for step in node['$ref'][2:].split('/'):
            place = place[step]
        node = place
    return node


def walk(node, place=()):
    """Every object in a JSON value, with where it is."""
    if isinstance(node, dict):
        yield place, node
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from walk(child, place + (key,))


def operations(document):
    for path, item in document['paths'].items():
        for method in METHODS:
            if method in item:
                yield path, method, item, item[method]


def validator_of(document, schema):
    return Draft202012Validator(schema, resolver=RefResolver('', document))


def errors_of(document, schema, value):
    return [f'/{"/".join(map(str, error.absolute_path))}: {error.message[:200]}'
            for error in validator_of(document, schema).iter_errors(value)]


# ---- the description by itself ----

def check_structure(document):
    Draft202012Validator.check_schema(RULES)
    say('structure', *(f'{list(error.absolute_path)}: {error.message[:200]}'
                       for error in Draft202012Validator(RULES).iter_errors(document)))


def is_schema_place(place):
    return 'schema' in place or (place[:2] == ('components', 'schemas') and len(place) > 2)


def check_schemas(document):
    for name, schema in document['components']['schemas'].items():
        Draft202012Validator.check_schema(schema)
        wrong = {key for _, node in walk(schema) for key in node
                 if key not in KEYWORDS and '$ref' not in node and is_keyword_place(schema, node)}
        say(f'schema {name}', *wrong)


def is_keyword_place(schema, node):
    """Whether an object is a schema, and no table of properties or an example."""
    for place, each in walk(schema):
        if each is node:
            return not place or (place[-1] != 'properties' and 'examples' not in place and 'default' not in place)
    return False


def check_references(document):
    used = set()
    for place, node in walk(document):
        if '$ref' in node:
            try:
                resolve(document, node)
                used.add(node['$ref'])
            except KeyError:
                say(f'reference {place}', f'{node["$ref"]} leads nowhere')
    every = {f'#/components/{kind}/{name}' for kind, table_of in document['components'].items()
             if kind != 'securitySchemes' for name in table_of}
    say('all components are used', *sorted(every - used))
    schemes = set(document['components']['securitySchemes'])
    say('security', *(set(name for need in document['security'] for name in need) ^ schemes))


def check_examples(document):
    for name, schema in document['components']['schemas'].items():
        for place, node in walk(schema):
            for number, example in enumerate(node.get('examples', []) if is_keyword_place(schema, node) else []):
                say(f'example {number} of {name} {place}', *errors_of(strict(document), node, example))
    for place, node in walk(document):
        if 'example' in node and 'schema' in node:
            say(f'example {place}', *errors_of(document, node['schema'], node['example']))


def check_operations(document):
    ids = [operation['operationId'] for *_, operation in operations(document)]
    tags = {tag['name'] for tag in document['tags']}
    say('operationIds are unique', *{name for name in ids if ids.count(name) > 1})
    for path, method, item, operation in operations(document):
        parameters = [resolve(document, one) for one in item.get('parameters', []) + operation.get('parameters', [])]
        named = [(one['in'], one['name']) for one in parameters]
        links = [link for response in operation['responses'].values()
                 for link in resolve(document, response).get('links', {}).values()]
        say(f'{method} {path}',
            {name for where, name in named if where == 'path'} ^ set(re.findall(r'\{(\w+)\}', path)),
            {name for name in named if named.count(name) > 1},
            set(operation['tags']) - tags,
            [link for link in links if link['operationId'] not in ids],
            {'401', '403', '405', '503', 'default'} - set(operation['responses']))


# ---- beside the code ----

def read(name):
    with open(name, encoding='utf-8') as file:
        return file.read()


def check_problems(document):
    """Each problem of the code is listed by the response with its status, and there alone."""
    listed, described = {}, {}
    for slug, status in re.findall(r'X\(\w+,\s*"([a-z-]+)",\s*(\d+),', read('mod_dbsync_wf/base/problem.h')):
        listed.setdefault(int(status), set()).add(slug)
    listed[0].discard('none')
    described[0] = set(document['components']['schemas']['RunError']['properties']['type']['examples'])
    for response in document['components']['responses'].values():
        for media in response.get('content', {}).values():
            said = media['schema'].get('properties', {})
            if 'type' in said:
                described[said['status']['const']] = {
                    urn.replace('urn:dbsync-wf:problem:', '') for urn in said['type']['enum']}
    for status in sorted(set(listed) | set(described)):
        missing = described.get(status, set()) - listed.get(status, set())
        say(f'problems of status {status}', missing, listed.get(status, set()) - described.get(status, set()))


# The operations of each endpoint of the code, by its name in wf_endpoint_e.
OPERATIONS = {
    'RUN': ['runTask'],
    'STATUS': ['getStatus'],
    'EVENTS': ['streamEvents'],
    'LOGS': ['getLog'],
    'INTERRUPT': ['interruptRunByGet', 'interruptRun'],
    'RUNS': ['listRuns'],
    'RUNS_EVENTS': ['streamRuns'],
    'STATISTICS': ['getStatistics'],
    'PROJECTS': ['listProjects'],
    'PROJECT': ['getProject'],
    'TASK': ['getTask'],
    'METRICS': ['getMetrics'],
    'OPENAPI': ['getOpenapi'],
}


def check_endpoints(document):
    """The table of handler.c, the paths of route.h and the description say the same."""
    by_id = {operation['operationId']: (path, method) for path, method, _, operation in operations(document)}
    rows = re.findall(r'\[WF_ENDPOINT_(\w+)\]\s*=\s*\{\w+,\s*([01]),\s*([01]),\s*"([A-Z, ]+)"\}',
                      read(HTTP + 'handler.c'))
    paths = set(re.findall(r'^ \*   (/\S*)', read(HTTP + 'route.h'), re.MULTILINE))
    say('every endpoint of the code is described', {row[0] for row in rows} - set(OPERATIONS))
    say('every endpoint that is described is there', set(OPERATIONS) - {row[0] for row in rows})
    say('every operation is an endpoint\'s', set(by_id) ^ {name for names in OPERATIONS.values() for name in names})
    say('paths', paths ^ set(document['paths']))
    for endpoint, get, post, allow in rows:
        methods = [method for method, has in (('get', get), ('post', post)) if has == '1']
        said = [by_id[name] for name in OPERATIONS.get(endpoint, []) if name in by_id]
        allowed = [name for method in methods for name in ([method.upper()] + ['HEAD'] * (method == 'get'))]
        say(f'methods of {endpoint}', sorted(method for _, method in said) != methods and said,
            len({path for path, _ in said}) != 1 and said, allow.split(', ') != allowed + ['OPTIONS'] and allow)


def check_tree():
    document = json.loads(read(HTTP + 'openapi.json'))
    check_structure(document)
    check_schemas(document)
    check_references(document)
    check_examples(document)
    check_operations(document)
    check_problems(document)
    check_endpoints(document)


# ---- answers ----

def strict(document):
    """The same, where no object may have a member that its schema does not name."""
    document = copy.deepcopy(document)
    for schema in document['components']['schemas'].values():
        for place, node in list(walk(schema)):
            if 'properties' in node and 'properties' not in place[-1:] and 'examples' not in place:
                node.setdefault('additionalProperties', False)
    return document


def find_operation(document, method, path):
    for template, item in document['paths'].items():
        if re.fullmatch(re.sub(r'\{\w+\}', '[^/]+', template), path):
            return template, item.get('get' if method == 'HEAD' else method.lower())
    return None, None


def check_headers(document, response, headers):
    for name, header in response.get('headers', {}).items():
        header, value = resolve(document, header), headers.get(name.lower())
        if value is None:
            yield f'the header {name} is missing' if header.get('required') else None
        else:
            yield from errors_of(document, header['schema'], value)


def check_body(document, response, answer):
    kind = answer['headers'].get('content-type', '').split(';')[0]
    content = response.get('content', {})
    if not content or answer['method'] == 'HEAD':
        yield f'there is a body: {answer["body"]}' if answer['body'] else None
    elif kind not in content:
        yield f'the type {kind} is none of {list(content)}'
    else:
        value = json.loads(answer['body']) if kind.endswith('json') else answer['body']
        yield from errors_of(document, content[kind]['schema'], value)


def check_answer(document, answer):
    path, operation = find_operation(document, answer['method'], answer['path'].split('?')[0])
    # A method that the path does not take is told of with those that it takes.
    if path and not operation and answer['status'] == 405:
        operation = next(iter(document['paths'][path][method] for method in METHODS if method in document['paths'][path]))
    if not operation:
        yield f'{answer["method"]} {answer["path"]} is not described'
        return
    response = operation['responses'].get(str(answer['status']))
    if not response:
        yield f'the status {answer["status"]} of {operation["operationId"]} is not described'
        return
    response = resolve(document, response)
    yield from check_headers(document, response, answer['headers'])
    yield from check_body(document, response, answer)


def check_answers():
    document = strict(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        answer = json.loads(line)
        say(answer['name'], *check_answer(document, answer))


if __name__ == '__main__':
    {'tree': check_tree, 'answers': check_answers}[sys.argv[1]]()
    print('done')
