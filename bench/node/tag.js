// What actions/tag does, the way a JavaScript action would: inputs, masks, one PATCH, the envelope
// checked, outputs and a summary.
import * as core from '@actions/core';
import { request } from 'undici';

async function tag() {
  const email = core.getInput('email', { required: true });
  const apiKey = core.getInput('api-key', { required: true });
  const projectId = core.getInput('project-id', { required: true });
  const buildId = core.getInput('build-id', { required: true });
  const tags = core.getInput('tags', { required: true }).split(/[,\n]/).map((tag) => tag.trim()).filter(Boolean);
  const baseUrl = core.getInput('base-url', { required: true });

  const token = Buffer.from(`${email}:${apiKey}`).toString('base64');
  core.setSecret(apiKey);
  core.setSecret(token);
  try {
    const { statusCode, body } = await request(`${baseUrl}/api/1/projects/${projectId}/builds/${buildId}/`, {
      method: 'PATCH',
      headers: {
        Authorization: `Basic ${token}`,
        Accept: 'application/json',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ tags: tags.join(',') }).toString(),
      headersTimeout: 30_000,
      bodyTimeout: 30_000,
    });
    const reply = await body.json();
    if (statusCode >= 300 || reply.status !== 'ok') {
      throw new Error(`the service refused (HTTP ${statusCode}): ${reply.message}`);
    }
    core.info(`Wrote to build ${buildId}: tags ${reply.tags.join(', ')}`);
    core.setOutput('tags', reply.tags.join(','));
    core.setOutput('changed', true);
    core.setOutput('dry-run', false);
    await core.summary
      .addHeading(`Tags of build ${buildId}`, 3)
      .addTable([['Build', `${baseUrl}/projects/${projectId}/builds/${buildId}`], ['Tags', reply.tags.join(', ')]])
      .write();
  } catch (error) {
    core.setFailed(error.message);
  }
}

tag();
