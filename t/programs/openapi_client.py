#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client that knows nothing of the API but what its description says.

    openapi_client.py URL USER PASSWORD PROJECT TASK BODY

reads the description at URL, finds the operations runTask and, by the link of its answer, getStatus, runs
the task with the body, waits for the run's end, and prints the run.
"""
import base64
import json
import sys
import time
import urllib.parse
import urllib.request

DEADLINE = 30  # seconds


class Client:
    def __init__(self, url, user, password):
        self.url = url
        self.secret = base64.b64encode(f'{user}:{password}'.encode()).decode()
        self.document = self.send('GET', url)[1]
        self.server = urllib.parse.urljoin(url, self.document['servers'][0]['url'])

    def send(self, method, url, headers=None, body=None):
        request = urllib.request.Request(url, method=method, data=body, headers={
            'Authorization': 'Basic ' + self.secret, **(headers or {})})
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status, json.load(answer)

    def resolve(self, node):
        while '$ref' in node:
            place = self.document
            for step in node['$ref'][2:].split('/'):
                place = place[step]
            node = place
        return node

    def find(self, operation_id):
        for path, item in self.document['paths'].items():
            for method, operation in item.items():
                if method != 'parameters' and operation['operationId'] == operation_id:
                    return path, method, item, operation
        raise SystemExit(f'the description has no {operation_id}')

    def call(self, operation_id, values, body=None):
        """Sends a request; values by parameter. Gives what the answer's response says, and its body."""
        path, method, item, operation = self.find(operation_id)
        query, headers = {}, {}
        for parameter in map(self.resolve, item.get('parameters', []) + operation.get('parameters', [])):
            name = parameter['name']
            # What can have one value alone needs nobody to choose it.
            value = values.get(name, self.resolve(parameter['schema']).get('const'))
            if value is None:
                if parameter.get('required'):
                    raise SystemExit(f'{operation_id} needs {name}')
            elif parameter['in'] == 'path':
                path = path.replace('{' + name + '}', urllib.parse.quote(value, safe=''))
            elif parameter['in'] == 'query':
                query[name] = value
            else:
                headers[name] = value
        if body is not None:
            headers['Content-Type'] = next(iter(operation['requestBody']['content']))
        url = self.server + path + ('?' + urllib.parse.urlencode(query) if query else '')
        status, answer = self.send(method.upper(), url, headers, body)
        return self.resolve(operation['responses'][str(status)]), answer


def follow(link, answer):
    """The operation that a link leads to, and its parameters."""
    front = '$response.body#/'
    return link['operationId'], {name: answer[place[len(front):]] for name, place in link['parameters'].items()
                                 if place.startswith(front)}


def main(url, user, password, project, task, body):
    client = Client(url, user, password)
    statuses = client.resolve({'$ref': '#/components/schemas/RunStatus'})['enum']
    response, run = client.call('runTask', {'projectId': project, 'taskId': task}, body.encode())
    operation, parameters = follow(response['links']['status'], run)
    deadline = time.monotonic() + DEADLINE
    while run['status'] in statuses[:2]:
        if time.monotonic() > deadline:
            raise SystemExit('the run does not end')
        run = client.call(operation, {**parameters, 'wait': '10'})[1]
    print(json.dumps(run))


if __name__ == '__main__':
    main(*sys.argv[1:])
