import { useEffect, useRef, useState } from 'preact/hooks';
import { Banner } from './frame/banner.tsx';
import { Footer } from './frame/footer.tsx';
import { Header } from './frame/header.tsx';
import { Loading } from './frame/loading.tsx';
import { MapView } from './map/map-view.tsx';
import { useDemo } from './models/open.ts';
import { useOwnModel } from './models/use-own-model.ts';
import { HEADS, type Words } from './models/words.ts';
import { RecommendView } from './recommend/recommend-view.tsx';
import { ROUTES, type Route, useRoute, VIEWS } from './routes.ts';
import { useScheme } from './scheme.ts';
import { TrainView } from './train/train-view.tsx';
import { useTraining } from './train/use-training.ts';

export function App() {
  const route = useRoute();
  const { dark, toggle } = useScheme();
  const demo = useDemo();
  const own = useOwnModel();
  const trainer = useTraining();
  const visited = useVisited(route);
  useArrival(route);
  const model = own.model ?? (demo.state === 'here' ? demo.value : undefined);

  const content = (view: Route) => {
    if (view === 'train')
      return (
        <TrainView
          {...{ trainer, dark }}
          kind={model?.kind}
          used={own.trained}
          onUse={(trained, source) => void own.use({ source, artifact: trained.artifact }, trained)}
        />
      );
    if (!model) return <Loading demo={demo} />;
    const key = model.manifest.data.fingerprint + (model.source ?? '');
    return view === 'map' ? (
      <MapView key={key} {...{ model, dark }} />
    ) : (
      <RecommendView key={key} model={model} />
    );
  };

  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <Header {...{ route, dark, toggle }} />
      <Banner own={own} />
      <main id="main" tabIndex={-1}>
        {ROUTES.filter((view) => visited.has(view)).map((view) => (
          <div key={view} class="view" hidden={view !== route}>
            <ViewHead view={view} heads={model?.heads ?? HEADS} />
            {content(view)}
          </div>
        ))}
      </main>
      <Footer model={model} />
    </>
  );
}

/** The views that were shown. They stay mounted, so that they keep their state. */
function useVisited(route: Route): ReadonlySet<Route> {
  const [visited, setVisited] = useState<ReadonlySet<Route>>(new Set([route]));
  if (!visited.has(route)) setVisited(new Set([...visited, route]));
  return visited;
}

interface ViewHeadProps {
  readonly view: Route;
  readonly heads: Words['heads'];
}

function ViewHead({ view, heads }: ViewHeadProps) {
  const { title, lead } = heads[view];
  return (
    <header class="view-head">
      <h1 tabIndex={-1} id={`heading-${view}`}>
        {title}
      </h1>
      <p class="lead">{lead}</p>
    </header>
  );
}

/** On a change of view, scrolls to its top, and moves the focus to its heading. */
function useArrival(route: Route): void {
  const last = useRef(route);
  useEffect(() => {
    document.title = `${VIEWS[route].name} · cofactor`;
    // Not for the first view, where the browser has set scroll position and focus.
    if (last.current === route) return;
    last.current = route;
    document.getElementById(`heading-${route}`)?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [route]);
}
