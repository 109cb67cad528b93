# The page for a machine without a GPU:  docker build -t opir .  and  docker run -p 7860:7860 opir
FROM python:3.11-slim
RUN useradd --create-home --uid 1000 opir
WORKDIR /home/opir/page
COPY requirements.txt requirements.txt
RUN pip install --no-cache-dir -r requirements.txt
COPY app.py app.py
COPY app app
COPY opir opir
COPY assets/examples assets/examples
COPY checkpoints checkpoints
USER opir
ENV OPIR_HOST=0.0.0.0
ENV OPIR_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD python -c "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['OPIR_PORT'] + '/health', timeout=4)"
CMD ["python", "app.py"]
