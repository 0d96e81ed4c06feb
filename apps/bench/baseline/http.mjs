// The HTTP side: what setting up and the reading scenarios of the load tool ask for.

import express from 'express';

import { failure, Problem, problems } from './problem.mjs';
import { userShape } from './shapes.mjs';

export function httpApp({ chat, people }) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(express.json());

  app.use('/api', async (request, response, next) => {
    request.user = await people.bearer(request.headers.authorization ?? '');
    if (request.user) return next();
    response.status(401).json({ success: false, message: 'Authentication error: Invalid token', code: 'INVALID_TOKEN' });
  });

  const limitOf = (request, fallback, max) => {
    const limit = Number(request.query.limit ?? fallback);
    if (!Number.isInteger(limit) || limit < 1 || limit > max) throw problems.invalid('limit is out of range');
    return limit;
  };

  app.get('/api/v1/users/me', (request, response) => {
    response.json({ success: true, data: { user: userShape(request.user) } });
  });
  app.put('/api/v1/users/:id/block', async (request, response) => {
    await chat.block(request.user, request.params.id);
    response.json({ success: true, data: { blocked: true } });
  });
  app.post('/api/v1/chat/conversations/start', async (request, response) => {
    const { conversation, created } = await chat.startDirect(request.user, request.body.targetUserId);
    response.status(created ? 201 : 200).json({ success: true, data: { conversation } });
  });
  app.post('/api/v1/chat/conversations/group', async (request, response) => {
    const { title, participantIds } = request.body;
    if (typeof title !== 'string' || !Array.isArray(participantIds)) throw problems.invalid('title and participantIds are required');
    const { conversation } = await chat.startGroup(request.user, title, participantIds);
    response.status(201).json({ success: true, data: { conversation } });
  });
  app.get('/api/v1/chat/conversations', async (request, response) => {
    response.json({ success: true, data: await chat.list(request.user, limitOf(request, 20, 100)) });
  });
  app.get('/api/v1/chat/messages/all/:id', async (request, response) => {
    const data = await chat.history(request.user, request.params.id, limitOf(request, 50, 200), request.query.cursor);
    response.json({ success: true, data });
  });
  app.get('/api/v1/chat/unread', async (request, response) => {
    response.json({ success: true, data: await chat.unread(request.user) });
  });
  app.post('/api/v1/chat/messages', async (request, response) => {
    const { message, repeated } = await chat.send(request.user, request.body);
    response.status(repeated ? 200 : 201).json({ success: true, data: { message } });
  });

  app.use((error, _request, response, _next) => {
    const { error: message, code } = failure(error);
    response.status(error instanceof Problem ? error.status : 500).json({ success: false, message, code });
  });
  return app;
}
