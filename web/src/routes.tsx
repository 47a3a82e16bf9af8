import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { AgentsPage } from './pages/agents.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { RepositoriesPage } from './pages/repositories.tsx';
import { RepositoryPage } from './pages/repository.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { StreamPage } from './pages/stream.tsx';
import { Shell } from './parts/shell.tsx';

const root = createRootRoute({ notFoundComponent: NotFoundPage });

/** Everything that only somebody who is signed in sees. */
const inside = createRoute({ getParentRoute: () => root, id: 'inside', component: Shell });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search): { token?: string } =>
    typeof search.token === 'string' ? { token: search.token } : {},
  component: function Login() {
    const { token } = signIn.useSearch();
    return <SignInPage token={token} />;
  },
});

const repositories = createRoute({ getParentRoute: () => inside, path: '/', component: RepositoriesPage });

const repository = createRoute({
  getParentRoute: () => inside,
  path: '/repos/$repoId',
  component: function Repository() {
    const { repoId } = repository.useParams();
    return <RepositoryPage repoId={repoId} />;
  },
});

const stream = createRoute({
  getParentRoute: () => inside,
  path: '/repos/$repoId/streams/$stream',
  component: function OneStream() {
    const params = stream.useParams();
    return <StreamPage repoId={params.repoId} handle={params.stream} />;
  },
});

const agents = createRoute({ getParentRoute: () => inside, path: '/agents', component: AgentsPage });

export const router = createRouter({
  routeTree: root.addChildren([signIn, inside.addChildren([repositories, repository, stream, agents])]),
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
