// What an app does with documents through frappe-js-sdk, as its documentation shows it. The same
// in Node and in a page; throws at the first answer that is not what the library's users expect.

function expect(what, found, wanted) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left}, not ${right}`);
}

async function refused(what, promise, status, exception) {
  const error = await promise.then(
    (value) => {
      throw new Error(`${what}: not refused, but ${JSON.stringify(value)}`);
    },
    (error) => error,
  );
  if (error instanceof Error) throw error;
  expect(what, error.httpStatus, status);
  expect(what, error.exc_type, exception);
  // What apps show to their users.
  if (!error._server_messages || !JSON.parse(JSON.parse(error._server_messages)[0]).message) {
    throw new Error(`${what}: no message in ${JSON.stringify(error)}`);
  }
}

async function walk(app, user) {
  const [db, call] = [app.db(), app.call()];
  expect('who', await app.auth().getLoggedInUser(), user);

  const made = await db.createDoc('ToDo', { description: 'Write to the bank', priority: 'High' });
  expect('create', [made.doctype, made.status, made.priority, made.owner], ['ToDo', 'Open', 'High', user]);
  const name = made.name;
  const second = await db.createDoc('ToDo', { description: 'Water the plants', color: '#29CD42' });

  const read = await db.getDoc('ToDo', name);
  expect('get', [read.name, read.description, read.modified], [name, 'Write to the bank', made.modified]);

  const changed = await db.updateDoc('ToDo', name, { status: 'Closed', modified: read.modified });
  expect('update', [changed.status, changed.description], ['Closed', 'Write to the bank']);
  await refused(
    'update of what was changed since',
    db.updateDoc('ToDo', name, { status: 'Open', modified: '2020-01-01 00:00:00.000000' }),
    417,
    'TimestampMismatchError',
  );

  const mine = [['name', 'in', [name, second.name]]];
  const fields = ['name', 'status', 'priority'];
  expect(
    'list',
    await db.getDocList('ToDo', {
      fields,
      filters: [...mine, ['status', '=', 'Closed']],
      orderBy: { field: 'modified', order: 'desc' },
      limit_start: 0,
      limit: 10,
    }),
    [{ name, status: 'Closed', priority: 'High' }],
  );
  expect(
    'list of lists',
    await db.getDocList('ToDo', { fields: ['name'], filters: [['name', '=', name]], asDict: false }),
    [[name]],
  );
  const either = await db.getDocList('ToDo', {
    fields,
    filters: mine,
    orFilters: [['status', '=', 'Closed'], ['description', 'like', '%PLANTS%']],
    orderBy: { field: 'priority', order: 'asc' },
  });
  expect('or', either.map((row) => row.priority), ['High', 'Medium']);
  expect(
    'groups',
    (await db.getDocList('ToDo', { fields: ['status'], filters: mine, groupBy: 'status', orderBy: { field: 'status' } })).map(
      (row) => row.status,
    ),
    ['Closed', 'Open'],
  );
  expect('names', (await db.getDocList('ToDo')).every((row) => Object.keys(row).join() === 'name'), true);
  expect('count', await db.getCount('ToDo', mine), 2);
  expect('count of all', (await db.getCount('ToDo')) >= 2, true);
  expect('last', (await db.getLastDoc('ToDo', { filters: mine })).name.length > 0, true);
  expect('value', await db.getValue('ToDo', ['status', 'priority'], [['name', '=', name]]), {
    message: { status: 'Closed', priority: 'High' },
  });
  expect('set', (await db.setValue('ToDo', name, 'priority', 'Low')).message.priority, 'Low');

  expect('call', await call.get('frappe.auth.get_logged_user'), { message: user });
  expect('call with arguments', await call.get('frappe.client.get_count', { doctype: 'ToDo', filters: { name } }), {
    message: 1,
  });
  const saved = await call.post('frappe.client.insert', { doc: { doctype: 'Note', title: `Of ${name}` } });
  expect('post', saved.message.title, `Of ${name}`);
  await call.delete('frappe.client.delete', { doctype: 'Note', name: saved.message.name });

  expect('delete', await db.deleteDoc('ToDo', name), { data: 'ok' });
  await db.deleteDoc('ToDo', second.name);
  await refused('get of what is gone', db.getDoc('ToDo', name), 404, 'DoesNotExistError');
  await refused('create without what is needed', db.createDoc('ToDo', {}), 417, 'MandatoryError');
  await refused('a DocType of others', db.getDocList('OAuth Client'), 403, 'PermissionError');
  await refused('a DocType that is not', db.getDocList('Nope'), 404, 'DoesNotExistError');
}

module.exports = { walk };
