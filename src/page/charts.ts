import { LineChart, ScatterChart } from 'echarts/charts';
import {
  DataZoomInsideComponent,
  GraphicComponent,
  GridComponent,
  TooltipComponent,
} from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

// The parts of ECharts that the page uses. They are downloaded when the first chart is shown.
use([
  CanvasRenderer,
  DataZoomInsideComponent,
  GraphicComponent,
  GridComponent,
  LineChart,
  ScatterChart,
  TooltipComponent,
]);

export { init };
