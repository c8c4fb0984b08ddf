using System.Collections.Generic;

namespace Postern.Agent.Model.Reading;

/// <summary>What is wrong with one document, and what people should know about one that is not wrong. Owned by the reader of the document.</summary>
internal sealed class DocumentProblems(string file)
{
    private const int MaxProblems = 100; // of one document: after that many nobody reads on

    private readonly List<ModelProblem> problems = [];
    private readonly List<string> warnings = [];

    public string File => file;

    public IReadOnlyList<ModelProblem> Problems => problems;

    public IReadOnlyList<string> Warnings => warnings;

    public void Add(int line, int column, string path, string reason, string? nearest = null)
    {
        if (problems.Count < MaxProblems)
        {
            problems.Add(new ModelProblem(file, line, column, path, reason, nearest));
        }
    }

    /// <summary>Something is read but does not do what its author may think.</summary>
    public void Warn(string warning) => warnings.Add(warning);
}
